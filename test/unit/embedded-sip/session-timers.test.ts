import type { IncomingSession, SessionEnd } from '../../../src/embedded/sip/types';
import { closeAll, SDP, startAgent, until, uriOf } from './support';

const FAST = { timers: { t1: 20, t2: 80, t4: 50 } };

afterEach(closeAll);

async function call(sessionExpires: number, supported?: string[]) {
  const alice = await startAgent({ minSessionExpires: 1 }, FAST);
  const bob = await startAgent({ minSessionExpires: 1, ...(supported === undefined ? {} : { supported }) }, FAST);
  const incoming = new Promise<IncomingSession>((resolve) => {
    bob.onInvite(resolve);
  });
  const out = alice.invite(uriOf(bob), { sdp: SDP, sessionExpires });
  const session = await incoming;
  await session.accept(SDP);
  const answer = await out.answered;
  return { alice, bob, out, session, answer };
}

test('the caller refreshes at half of the interval, and the call goes on', async () => {
  const { out, session, answer } = await call(1);
  expect(answer.get('session-expires')).toBe('1;refresher=uac');
  expect(answer.get('require')).toBe('timer');
  let refreshes = 0;
  session.onReinvite((request) => {
    refreshes++;
    expect(request.message.get('session-expires')).toBe('1;refresher=uac');
    request.respond(200);
  });
  await until(() => refreshes >= 2);
  expect([out.state, session.state]).toEqual(['confirmed', 'confirmed']);
  await out.bye();
});

test('without a refresh the other side hangs up and says why', async () => {
  const { alice, bob, out, session } = await call(2);
  const ended = new Promise<SessionEnd>((resolve) => {
    session.onEnd(resolve);
  });
  // The caller dies without a word.
  out.close();
  expect(await ended).toEqual({ by: 'timeout', reason: 'session timer expired' });
  await until(() => alice.sessions === 0 && bob.sessions === 0);
});

test('a refresh that the peer does not know any more ends the session', async () => {
  const { out, session } = await call(1);
  const ended = new Promise<SessionEnd>((resolve) => {
    out.onEnd(resolve);
  });
  session.close();
  expect(await ended).toEqual({ by: 'remote', reason: '481 Call/Transaction Does Not Exist' });
});
