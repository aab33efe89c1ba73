import type { SipMessage } from '../sip/message';
import type { SipStack } from '../sip/stack';
import type { Peer, ServerTransaction } from '../sip/types';

export type Resolver = Readonly<Record<string, { readonly address: string; readonly port?: number }>>;

export interface ConnectionMood {
  /** Another machine from which requests in dialogs come, if there is one now. */
  elsewhere(): SipStack | undefined;
  /** This request is dealt with so much later, milliseconds. */
  slowMs(request: SipMessage): number;
  loseAcks(): boolean;
}

/**
 * A view of a stack that behaves as Teams does with connections (1.2): requests go only over connections that Teams opened
 * itself, to the FQDN of the trunk's Contact; what the trunk opened carries its requests and the responses to them. Names are
 * looked up in `resolve`; one that is not in it means the address from which the trunk was seen.
 *
 * @param mood what of this view is out of order now
 * @param onRequest sees each request before the user agent does; true = it has dealt with it
 */
export function withOwnConnections(
  stack: SipStack,
  resolve: () => Resolver,
  onRequest: (transaction: ServerTransaction) => ServerTransaction | undefined,
  mood: ConnectionMood,
): SipStack {
  const route = (peer: Peer): Peer => {
    const known = peer.serverName === undefined ? undefined : resolve()[peer.serverName.toLowerCase()];

    return known ? { ...peer, address: known.address, port: known.port ?? peer.port } : peer;
  };
  const changed: Pick<SipStack, 'hasFlow' | 'send' | 'sendStateless' | 'onRequest' | 'onAck'> = {
    hasFlow: () => false,
    send: (request, target, options) =>
      request.toTag === undefined
        ? stack.send(request, route(target), options)
        : (mood.elsewhere() ?? stack).send(request, route(target), options),
    sendStateless: (request, target, options) => stack.sendStateless(request, route(target), options),
    onRequest: (handler) => {
      const take = (transaction: ServerTransaction): void => {
        const passed = onRequest(transaction);
        if (passed) {
          handler(passed);
        }
      };
      stack.onRequest((transaction) => {
        const ms = mood.slowMs(transaction.request);
        if (ms > 0) {
          setTimeout(() => take(transaction), ms);
        } else {
          take(transaction);
        }
      });
    },
    onAck: (handler) => {
      stack.onAck((ack, source) => {
        if (!mood.loseAcks()) {
          handler(ack, source);
        }
      });
    },
  };

  return new Proxy(stack, {
    get: (target, property) => {
      const value: unknown = Reflect.get(property in changed ? changed : target, property, target);

      return typeof value === 'function' && !(property in changed) ? (value.bind(target) as unknown) : value;
    },
  });
}
