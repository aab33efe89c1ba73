import { refreshHeaders } from '../../../src/signaling/reinvite';

describe('the 200 that refreshes a session', () => {
  it('has no timer where the peer asked for none or for nonsense', () => {
    expect(refreshHeaders(undefined)).toEqual({});
    expect(refreshHeaders('soon')).toEqual({});
  });

  it.each([
    ['1800;refresher=uac', '1800;refresher=uac'],
    ['1800', '1800;refresher=uac'],
    [' 600 ; Refresher = UAC', '600;refresher=uac'],
    ['60;refresher=uac', '90;refresher=uac'],
  ])('to %s it says %s and that the timer binds the peer', (asked, answered) => {
    expect(refreshHeaders(asked)).toEqual({ 'Session-Expires': answered, Supported: 'timer', Require: 'timer' });
  });

  it('leaves refreshing to us where the peer wants that', () => {
    expect(refreshHeaders('900;refresher=uas')).toEqual({
      'Session-Expires': '900;refresher=uas',
      Supported: 'timer',
    });
  });
});
