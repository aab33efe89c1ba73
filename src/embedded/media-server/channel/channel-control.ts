/**
 * Moves channels from one thing to another: dialplan, park, bridge, transfer, hold, hang-up, with FreeSWITCH's events and its
 * rules about who stays when a bridge ends (wire reference 5.6, 8.4, 8.5.1, 8.6.1).
 */
import { newId } from '../../../lib/ids';
import type { Channel } from './channel';
import { isTrue } from './variables';

export interface DialplanAction {
  readonly app: string;
  readonly arg: string;
}

export interface ControlHost {
  /** Actions of a named extension. */
  extension(name: string): readonly DialplanAction[] | undefined;
  /** All is said about an ended channel: its sockets, files and ports are to be given back. */
  release(channel: Channel): void;
  /** After CALLSTATE HANGUP: the channel's own sockets get their notice. */
  goodbye(channel: Channel): void;
}

const HOLD_MUSIC_OFF: readonly string[] = ['silence', 'indicate_hold'];
const DEFAULT_HOLD_MUSIC = 'local_stream://moh/8000';

export class ChannelControl {
  readonly #host: ControlHost;

  constructor(host: ControlHost) {
    this.#host = host;
  }

  /** Runs actions one after the other; at their end the channel is hung up. */
  runDialplan(channel: Channel, actions: readonly DialplanAction[]): void {
    if (channel.ended) {
      return;
    }
    const generation = ++channel.generation;
    channel.mode = 'dialplan';
    channel.setState('CS_EXECUTE');
    void this.#runActions(channel, actions, generation);
  }

  async #runActions(channel: Channel, actions: readonly DialplanAction[], generation: number): Promise<void> {
    for (const { app, arg } of actions) {
      const known = await channel.runner.run(app, arg, newId());
      if (channel.generation !== generation || channel.ended) {
        return;
      }
      if (!known) {
        channel.hangup('DESTINATION_OUT_OF_ORDER');
        return;
      }
    }
    channel.hangup('NORMAL_CLEARING');
  }

  /** Leaves what the channel does and runs actions instead. A partner that is not transferred too follows its own rule. */
  transfer(channel: Channel, actions: readonly DialplanAction[]): void {
    this.#cancelBridging(channel);
    this.#leave(channel, () => {
      channel.times.transferred = Date.now() * 1000;
      this.runDialplan(channel, actions);
    });
    this.#endBridge(channel);
  }

  /** Both legs of a bridge at once. */
  transferBoth(channel: Channel, actions: readonly DialplanAction[]): void {
    const partner = channel.partner;
    if (partner === undefined) {
      this.transfer(channel, actions);
      return;
    }
    this.#unlink(channel, partner);
    for (const leg of [channel, partner]) {
      leg.setCallState('RINGING');
      leg.setCallState('ACTIVE');
      this.#leave(leg, () => {
        this.runDialplan(leg, actions);
      });
    }
  }

  /** Parks without an application, as after a bridge. */
  park(channel: Channel): void {
    this.#cancelBridging(channel);
    this.#leave(channel, () => {
      this.#enterPark(channel);
    });
    this.#endBridge(channel);
  }

  /** Connects two answered or early channels, whatever they do now. False if one of them cannot be. */
  bridge(a: Channel, b: Channel): boolean {
    if (a === b || [a, b].some((c) => c.ended || !c.mediaUp || c.answerState === 'ringing')) {
      return false;
    }
    if (a.partner === b) {
      return true;
    }
    for (const leg of [a, b]) {
      this.#cancelBridging(leg);
      this.#endBridge(leg);
    }
    a.bridging = { to: b, free: false, first: true };
    b.bridging = { to: a, free: false, first: false };
    for (const leg of [a, b]) {
      this.#leave(leg, () => {
        this.#freeForBridge(leg);
      });
    }
    return true;
  }

  /** Ends a channel and everything it does. Idempotent. */
  hangup(channel: Channel, cause: string): void {
    if (channel.ended) {
      return;
    }
    const wasParked = channel.mode === 'parked' && channel.bridging === undefined;
    channel.mode = 'ended';
    channel.generation++;
    channel.hangupCause = cause;
    channel.answerState = 'hangup';
    channel.times.hangup = Date.now() * 1000;
    channel.setVariable('hangup_cause', cause);
    channel.emit('CHANNEL_HANGUP');
    if (wasParked) {
      channel.emit('CHANNEL_UNPARK');
    }
    channel.tellWaiters();
    channel.sip?.end(cause);
    this.#cancelBridging(channel);
    this.#endBridge(channel);
    channel.runner.close();
    channel.runner.abortAll(() => {
      this.#finish(channel);
    });
  }

  /** The peer's hold state changed by a re-INVITE: tells it, and gives the partner hold music or takes it away. */
  setHeld(channel: Channel, held: boolean, withMusic: boolean): void {
    if (channel.held === held || channel.ended) {
      return;
    }
    channel.held = held;
    if (held) {
      channel.times.lastHold = Date.now() * 1000;
      channel.setCallState('HELD');
      channel.emit('CHANNEL_HOLD');
    } else {
      channel.setCallState('UNHELD');
      channel.emit('CHANNEL_UNHOLD');
      channel.setCallState('ACTIVE');
    }
    const partner = channel.partner;
    if (partner === undefined) {
      return;
    }
    if (!held) {
      this.stopHoldMusic(partner);
    } else if (withMusic) {
      this.startHoldMusic(channel, partner);
    }
  }

  /** Music for `partner` while `channel` is on hold: the held leg's own, else the default. */
  startHoldMusic(channel: Channel, partner: Channel): void {
    const music = channel.getVariable('hold_music') ?? DEFAULT_HOLD_MUSIC;
    if (HOLD_MUSIC_OFF.includes(music)) {
      partner.mutedByHold = true;
      return;
    }
    partner.execute({ app: 'playback', arg: music, appUuid: newId(), loops: -1, eventLock: false });
  }

  stopHoldMusic(partner: Channel): void {
    partner.mutedByHold = false;
    partner.runner.breakTop();
  }

  #finish(channel: Channel): void {
    for (const recorder of channel.recorders.values()) {
      channel.emit('RECORD_STOP', { 'Record-File-Path': recorder.path, 'Record-Completion-Cause': 'hangup' });
      void recorder.stop();
    }
    channel.recorders.clear();
    channel.setState('CS_HANGUP');
    channel.setCallState('HANGUP');
    this.#host.goodbye(channel);
    channel.setState('CS_REPORTING');
    const { answered, hangup, created } = channel.times;
    channel.setVariable('billsec', String(answered === 0 ? 0 : Math.round((hangup - answered) / 1e6)));
    channel.setVariable('duration', String(Math.round((hangup - created) / 1e6)));
    channel.emit('CHANNEL_HANGUP_COMPLETE');
    channel.state = 'CS_DESTROY';
    channel.emit('CHANNEL_DESTROY');
    this.#host.release(channel);
  }

  /** Ends the applications, then does something else, unless the channel was meanwhile told to do a third thing. */
  #leave(channel: Channel, then: () => void): void {
    if (channel.ended) {
      return;
    }
    this.#unpark(channel);
    const generation = ++channel.generation;
    channel.runner.abortAll(() => {
      if (!channel.ended && channel.generation === generation) {
        then();
      }
    });
  }

  #unpark(channel: Channel): void {
    if (channel.mode === 'parked' && channel.state === 'CS_PARK') {
      channel.mode = 'new';
      channel.emit('CHANNEL_UNPARK');
    }
  }

  #link(a: Channel, b: Channel): void {
    const now = Date.now() * 1000;
    for (const [leg, other, role] of [
      [a, b, 'a'],
      [b, a, 'b'],
    ] as const) {
      leg.partner = other;
      leg.bridgeRole = role;
      leg.mode = 'bridged';
      leg.mutedByHold = false;
      leg.times.bridged = now;
      leg.callUuid = a.uuid;
      leg.setVariable('signal_bond', other.uuid);
      leg.setVariable('bridge_uuid', other.uuid);
      leg.setVariable('last_bridge_to', other.uuid);
      leg.setVariable('last_bridge_role', role === 'a' ? 'originator' : 'originatee');
      leg.setState('CS_HIBERNATE');
      leg.setState('CS_RESET');
      leg.setState('CS_SOFT_EXECUTE');
    }
    a.emit('CHANNEL_EXECUTE', { Application: 'uuid_bridge', 'Application-Data': b.uuid });
    b.emit('CHANNEL_EXECUTE', { Application: 'uuid_bridge', 'Application-Data': a.uuid });
    a.setState('CS_EXCHANGE_MEDIA');
    b.setState('CS_EXCHANGE_MEDIA');
    const pair = { 'Bridge-A-Unique-ID': a.uuid, 'Bridge-B-Unique-ID': b.uuid };
    a.emit('CHANNEL_BRIDGE', pair);
    a.emit('CALL_UPDATE', { Direction: 'SEND', 'Bridged-To': b.uuid });
    for (const leg of [a, b]) {
      leg.runner.pump();
    }
  }

  /** One leg of a bridge to come has ended its applications: the second one to do so makes the bridge. */
  #freeForBridge(leg: Channel): void {
    const mine = leg.bridging;
    if (mine === undefined) {
      this.#afterBridge(leg);
      return;
    }
    mine.free = true;
    leg.mode = 'parked';
    const theirs = mine.to.bridging;
    if (theirs?.to === leg && theirs.free) {
      leg.bridging = mine.to.bridging = undefined;
      this.#link(...(mine.first ? ([leg, mine.to] as const) : ([mine.to, leg] as const)));
    }
  }

  /** `channel` will do something else than join the bridge it was meant for: the other leg must not wait for it. */
  #cancelBridging(channel: Channel): void {
    const other = channel.bridging?.to;
    channel.bridging = undefined;
    const theirs = other?.bridging;
    if (other === undefined || theirs?.to !== channel) {
      return;
    }
    other.bridging = undefined;
    if (theirs.free) {
      this.#afterBridge(other);
    }
  }

  #unlink(a: Channel, b: Channel): void {
    const first = a.bridgeRole === 'a' ? a : b;
    first.emit('CHANNEL_UNBRIDGE', { 'Bridge-A-Unique-ID': a.uuid, 'Bridge-B-Unique-ID': b.uuid });
    for (const leg of [a, b]) {
      leg.partner = undefined;
      leg.bridgeRole = undefined;
      leg.callUuid = leg.uuid;
      leg.mutedByHold = false;
      leg.setVariable('signal_bond', undefined);
      leg.setVariable('bridge_uuid', undefined);
    }
  }

  /** `channel` leaves its bridge; what happens to the other side is the other side's rule, or hold's. */
  #endBridge(channel: Channel): void {
    const partner = channel.partner;
    if (partner === undefined) {
      return;
    }
    this.#unlink(channel, partner);
    if (channel.hangupCause !== undefined) {
      partner.setVariable('last_bridge_hangup_cause', channel.hangupCause);
    }
    if (partner.ended) {
      return;
    }
    if (channel.ended && channel.held) {
      const extension = channel.getVariable('hold_hangup_xfer_exten');
      if (extension === undefined) {
        partner.hangup('NORMAL_CLEARING');
        return;
      }
      partner.setVariable('transfer_after_bridge', extension);
    }
    this.#leave(partner, () => {
      this.#afterBridge(partner);
    });
  }

  #afterBridge(channel: Channel): void {
    if (isTrue(channel.getVariable('park_after_bridge'))) {
      this.#enterPark(channel);
      return;
    }
    const transfer = channel.getVariable('transfer_after_bridge');
    if (transfer !== undefined) {
      channel.setVariable('transfer_after_bridge', undefined);
      const actions = this.#host.extension(transfer.split(':')[0] ?? '');
      if (actions === undefined) {
        channel.hangup('NO_ROUTE_DESTINATION');
      } else {
        this.runDialplan(channel, actions);
      }
      return;
    }
    channel.hangup('NORMAL_CLEARING');
  }

  #enterPark(channel: Channel): void {
    channel.mode = 'parked';
    channel.setState('CS_PARK');
    channel.emit('CHANNEL_PARK');
    channel.runner.pump();
  }
}
