import { z } from 'zod';
import { carrierSettings, pbxSettings, teamsSettings, webSettings } from '../config/documents/trunk-settings';
import { SidekickError } from '../lib/errors';
import type { TrunkConfig } from './config-types';

export interface TrunkRecord {
  readonly id: string;
  readonly name: string;
  readonly tenantId: string | null;
  readonly enabled: boolean;
  readonly kind: TrunkConfig['kind'];
  readonly settings: unknown;
}

const SCHEMAS = { carrier: carrierSettings, teams: teamsSettings, pbx: pbxSettings, web: webSettings };

/** Settings may have been edited by hand in SQL, so they are checked again. @throws SidekickError SK_CONFIG_INVALID */
export function checkTrunk(row: TrunkRecord): TrunkConfig {
  const parsed = SCHEMAS[row.kind].safeParse(row.settings);
  if (!parsed.success) {
    throw new SidekickError('SK_CONFIG_INVALID', `The settings of trunk ${row.name} are not valid`, {
      why: z.prettifyError(parsed.error).replaceAll('\n', ' '),
      next: 'apply a corrected document, or correct trunks.settings in the database',
      context: { trunk: row.name },
    });
  }
  return { ...row, tenantId: row.tenantId ?? undefined, settings: parsed.data } as TrunkConfig;
}
