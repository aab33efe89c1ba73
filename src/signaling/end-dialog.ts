import type { SipDialog, Srf } from './srf';

/** Codes of errors that mean: the link to drachtio was lost since the dialog was made, but drachtio still holds the dialog. */
const LINK_LOST = new Set(['ESOCKETDESTROYED', 'EINVALIDSOCKET']);

/**
 * Hangs up. A dialog that is older than the present link to drachtio can no longer be ended through its object, only by its
 * id. `done` is called once, with the error if the dialog was gone already.
 */
export function endDialog(
  srf: Srf,
  dialog: SipDialog,
  headers: Record<string, string>,
  done: (error: unknown) => void,
): void {
  dialog.destroy({ headers }, (error) => {
    const code = (error as { code?: unknown } | null)?.code;
    if (typeof code !== 'string' || !LINK_LOST.has(code)) {
      done(error);
      return;
    }
    srf.request('sip:placeholder', { method: 'BYE', stackDialogId: dialog.id, headers }, (lateError, request) => {
      if (lateError) {
        done(lateError);
        return;
      }
      request.on('response', () => {
        done(undefined);
      });
    });
  });
}
