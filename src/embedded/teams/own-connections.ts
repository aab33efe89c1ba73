import type { SipStack } from '../sip/stack';
import type { Peer, ServerTransaction } from '../sip/types';

export type Resolver = Readonly<Record<string, { readonly address: string; readonly port?: number }>>;

/**
 * A view of a stack that behaves as Teams does with connections (1.2): requests go only over connections that Teams opened
 * itself, to the FQDN of the trunk's Contact; what the trunk opened carries its requests and the responses to them. Names are
 * looked up in `resolve`; one that is not in it means the address from which the trunk was seen.
 *
 * @param onRequest sees each request before the user agent does; true = it has dealt with it
 */
export function withOwnConnections(
  stack: SipStack,
  resolve: () => Resolver,
  onRequest: (transaction: ServerTransaction) => ServerTransaction | undefined,
): SipStack {
  const route = (peer: Peer): Peer => {
    const known = peer.serverName === undefined ? undefined : resolve()[peer.serverName.toLowerCase()];

    return known ? { ...peer, address: known.address, port: known.port ?? peer.port } : peer;
  };
  const changed: Pick<SipStack, 'hasFlow' | 'send' | 'sendStateless' | 'onRequest'> = {
    hasFlow: () => false,
    send: (request, target, options) => stack.send(request, route(target), options),
    sendStateless: (request, target, options) => stack.sendStateless(request, route(target), options),
    onRequest: (handler) => {
      stack.onRequest((transaction) => {
        const passed = onRequest(transaction);
        if (passed) {
          handler(passed);
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
