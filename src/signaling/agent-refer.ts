import type { TransferRequest, TransferTarget } from '../calls/ports';
import { describeError } from '../lib/errors';
import type { Log } from '../lib/log';
import type { SipDialog, SipRequest, SipResponse } from './srf';
import { readRefer, transferNotify } from './teams/refer';
import type { Refer } from './teams/refer';

/** What a platform's REFER may do on its trunk. */
export interface ReferPolicy {
  /** True for an address that the platform signals from. It may be another one than that of the dialog (and another connection). */
  accepts(sourceAddress: string): boolean;
  /** What the REFER means here; undefined: it leads somewhere that we do not call. */
  target(refer: Refer): Promise<TransferTarget | undefined>;
}

export interface ReferOptions {
  readonly policy: ReferPolicy | undefined;
  readonly allow: string;
  readonly contact: string | undefined;
  readonly log: Log;
  readonly requested: ((request: TransferRequest) => void) | undefined;
}

/**
 * Answers REFER in an agent's dialog: 202 and a transfer request, or a refusal. How far the transfer is goes back as NOTIFY
 * while the dialog lives; Teams ends it right after the 202 where the transfer is blind, and at the final NOTIFY otherwise.
 */
export function takeRefers(dialog: SipDialog, options: ReferOptions): void {
  const { policy, allow, log, requested } = options;
  let busy = false;
  dialog.on('refer', (request: SipRequest, response: SipResponse) => {
    if (!policy || !requested) {
      response.send(405, { headers: { Allow: allow } });
      return;
    }
    if (!policy.accepts(request.source_address)) {
      log.warn({ event: 'refer_source_refused', source: request.source_address });
      response.send(403);
      return;
    }
    const refer = readRefer(request.get('Refer-To'), request.get('Referred-By'));
    if (!refer) {
      response.send(400, { headers: { Warning: '399 sidekick "Refer-To is missing or cannot be read"' } });
      return;
    }
    if (busy) {
      response.send(491);
      return;
    }
    busy = true;
    const done = (): void => {
      busy = false;
    };
    policy.target(refer).then(
      (target) => {
        if (!target) {
          done();
          log.warn({ event: 'refer_target_refused', host: refer.host });
          response.send(403);
          return;
        }
        const headers = options.contact === undefined ? {} : { headers: { Contact: options.contact } };
        response.send(202, headers);
        requested({ target, progress: (status) => notify(dialog, options, status, done) });
      },
      (error: unknown) => {
        done();
        log.error({ event: 'refer_not_resolved', reason: describeError(error) });
        response.send(503, { headers: { 'Retry-After': '5' } });
      },
    );
  });
}

function notify(dialog: SipDialog, { contact, log }: ReferOptions, status: number, done: () => void): void {
  if (status >= 200) {
    done();
  }
  if (!dialog.connected) {
    return;
  }
  const { headers, body } = transferNotify(status);
  const dressed = { ...headers, ...(contact === undefined ? {} : { Contact: contact }) };
  dialog.request({ method: 'NOTIFY', headers: dressed, body }, (error) => {
    if (error) {
      // The dialog ended meanwhile, which is how a blind transfer goes.
      log.debug({ event: 'refer_notify_not_sent', status, reason: describeError(error) });
    }
  });
}
