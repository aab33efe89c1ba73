/** A request for its handler: answered once, by the handler or, where there is none, with 200. */
import { SipMessage } from './message';
import type { IncomingRequest, RequestOptions, ServerTransaction } from './types';

/** `answer` gets the final response, dressed; by default it is just sent. */
export function offerRequest(
  handler: ((request: IncomingRequest) => void) | undefined,
  transaction: ServerTransaction,
  dress: (message: SipMessage, options: RequestOptions | undefined) => SipMessage,
  answer: (response: SipMessage) => void = (response) => transaction.respond(response),
): void {
  let open = true;
  const reply = (response: SipMessage, options?: RequestOptions): void => {
    if (response.status < 200) {
      transaction.respond(dress(response, options));
    } else if (open) {
      open = false;
      answer(dress(response, options));
    }
  };
  if (handler === undefined) {
    reply(SipMessage.response(200));
    return;
  }
  handler({
    message: transaction.request,
    source: transaction.source,
    respond: (status, reason, options) => {
      reply(SipMessage.response(status, reason), options);
    },
  });
}
