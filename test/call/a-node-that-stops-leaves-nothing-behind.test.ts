import { CallLab, eventually } from '../support/call-lab';

describe('a node that stops', () => {
  it('lets calls go on while it drains, refuses new ones with 503, and leaves nothing behind', async () => {
    const lab = await CallLab.start({ agents: ['anna'] });
    try {
      const call = await lab.dial();
      await eventually('anna is heard', () => (call.heardMs(1100) > 200 ? true : undefined));
      const closing = lab.node.close({ drainMs: 20_000 });
      const late = await lab.dial();
      await expect(late.answered).rejects.toMatchObject({ status: 503 });
      expect(call.state).toBe('confirmed');
      await call.hangUp();
      await closing;
      await lab.expectNothingLeft();
      expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'caller-hung-up' });
    } finally {
      await lab.close();
    }
  });

  it('hangs up what is left when it does not drain, and says so in the facts', async () => {
    const lab = await CallLab.start({ agents: ['anna'] });
    try {
      lab.tenant.setScript('anna', { kind: 'ring-out' });
      const waiting = await lab.dial();
      await eventually('anna rings', () =>
        lab.tenant.calls({ agent: 'anna' })[0]?.state === 'ringing' ? true : undefined,
      );
      await lab.node.close({ drainMs: 0 });
      expect((await waiting.ended).by).toBe('remote');
      await lab.expectNothingLeft();
      expect(await lab.ending(waiting)).toEqual({ result: 'server-error', reason: 'node-stopping' });
    } finally {
      await lab.close();
    }
  });
});
