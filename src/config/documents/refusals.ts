import { SidekickError, toError } from '../../lib/errors';
import { sqlState } from '../../store/pool';

/** What a constraint of the database refused, in words; anything else stays as it is. */
export function explainConstraint(error: unknown): unknown {
  const state = sqlState(error);
  const { detail, constraint } = error as { detail?: string; constraint?: string };
  switch (state) {
    case '23505':
    case '23503': {
      return new SidekickError('SK_CONFLICT', 'This contradicts what is configured already', {
        why: detail === undefined ? toError(error).message : `${toError(error).message}: ${detail}`,
        next: 'name the other entry in the document as well, or apply with pruning so that it goes',
        cause: error,
      });
    }
    case '23514':
    case '23502': {
      return new SidekickError('SK_CONFIG_INVALID', 'The database does not take this value', {
        why: `${toError(error).message}${constraint === undefined ? '' : ` (${constraint})`}`,
        next: 'docs/configuration.md says what each key takes',
        cause: error,
      });
    }
    default: {
      return error;
    }
  }
}
