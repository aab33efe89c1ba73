import { readWav } from '../../src/embedded/rtp/wav';
import { ToneDetector } from '../../src/embedded/rtp/tone';
import type { CarrierCall } from '../../src/embedded/carrier/carrier-call';
import { withoutDatabase } from '../support/without-database';
import { CALLER_TONE, eventually } from '../support/call-lab';
import { ALL_SOUNDS, hears } from '../support/ears';
import { labSuite } from '../support/lab-suite';
import type { LabSuite } from '../support/lab-suite';
import { FLOW_NUMBER, SALES_NUMBER, SOUNDS, twoQueues } from '../support/two-queues';

const BEEP = 1_000;
/** What the caller of these stories can hear: the tone besides the usual. */
const EARS = [...ALL_SOUNDS, BEEP];

interface Message {
  readonly id: string;
  readonly queue: string;
  readonly callId: string;
  readonly callerNumber: string | null;
  readonly state: string;
  readonly lengthMs: number | null;
  readonly file: string;
}

function api({ lab }: LabSuite, path: string, init?: RequestInit): Promise<Response> {
  const { host, port } = lab.node.http ?? { host: '', port: 0 };
  return fetch(`http://${host}:${port}/api/v1/${path}`, init);
}

/** Messages that stand, newest first. */
async function messages(suite: LabSuite): Promise<readonly Message[]> {
  const { voicemails } = (await (await api(suite, 'voicemails')).json()) as { readonly voicemails: readonly Message[] };
  return voicemails;
}

async function messageOf(suite: LabSuite, call: CarrierCall): Promise<Message> {
  const { id } = await suite.lab.row(call);
  return await eventually('the message', async () => (await messages(suite)).find(({ callId }) => callId === id));
}

interface Heard {
  readonly lengthMs: number;
  readonly callerMs: number;
  readonly beepMs: number;
}

/** What is in the file of a message, as somebody who fetches it hears it. */
async function listen(suite: LabSuite, { id, file }: Message): Promise<Heard> {
  const response = await api(suite, `voicemails/${id}/audio`);
  expect(response.headers.get('content-type')).toBe('audio/wav');
  expect(response.headers.get('content-disposition')).toBe(`attachment; filename="${file}"`);
  const { pcm, rate, channels } = readWav(Buffer.from(await response.arrayBuffer()));
  expect({ rate, channels }).toEqual({ rate: 8_000, channels: 1 });
  const detector = new ToneDetector([CALLER_TONE, BEEP]);
  detector.push(pcm);
  return { lengthMs: pcm.length / 8, callerMs: detector.heardMs(CALLER_TONE), beepMs: detector.heardMs(BEEP) };
}

/** The caller has heard the tone to its end, and is being recorded. */
async function afterTheTone(call: CarrierCall): Promise<void> {
  await hears(call, BEEP, 250, 20_000);
  await sleep(150);
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const LEFT = { result: 'success', reason: 'voicemail-left' };

const VOICEMAIL = { greeting: 'announcement', thanks: 'thanks', maxSeconds: 6, silenceSeconds: 2, minSeconds: 1 };
const THANKS = SOUNDS.invalid;

const suite = labSuite({
  env: { SIDEKICK_HTTP: '127.0.0.1:0' },
  document: ({ teamsProxy }) =>
    twoQueues({
      teamsProxy,
      prompts: [{ name: 'thanks', tenant: 'lab', tone: `%(600,0,${THANKS})` }],
      supportRules: {
        voicemail: VOICEMAIL,
        maxWaitSeconds: 2,
        exits: { maxWait: { voicemail: 'support' }, keys: { 1: { voicemail: 'support' }, 2: { voicemail: 'sales' } } },
      },
      salesRules: {
        voicemail: { maxSeconds: 5, minSeconds: 0 },
        hours: 'never',
        exits: { closed: { voicemail: 'support' } },
      },
      flows: [{ name: 'at-night', steps: [{ play: 'invalid' }, { voicemail: 'sales' }] }],
    }),
});

/** Waits by the longest wait, or leaves at once by the key. */
async function toMailbox(key?: '1' | '2'): Promise<CarrierCall> {
  const { lab } = suite;
  lab.tenant.setScript('anna', { kind: 'busy' });
  const call = await lab.dial({ listenFor: EARS });
  await hears(call, SOUNDS.supportMusic);
  if (key !== undefined) {
    call.sendDtmf(key);
  }
  return call;
}

describe('a caller is sent to voicemail', () => {
  it('after the longest wait: greeting, tone, message, thanks; the file holds what was said, and nothing else', async () => {
    const { lab } = suite;
    const call = await toMailbox();
    await afterTheTone(call);
    expect(call.heardMs(SOUNDS.announcement)).toBeGreaterThan(500);
    await sleep(2_000);
    call.sendDtmf('#');
    const pressedAt = Date.now();
    await call.ended;
    expect(Date.now() - pressedAt).toBeLessThan(2_500);
    expect(call.heardMs(THANKS)).toBeGreaterThan(400);
    expect(await lab.ending(call)).toEqual(LEFT);
    const message = await messageOf(suite, call);
    expect(message).toMatchObject({ queue: 'support', state: 'new', callerNumber: '+491700000001' });
    const heard = await listen(suite, message);
    expect(heard.lengthMs).toBeGreaterThan(1_900);
    expect(heard.lengthMs).toBeLessThan(2_700);
    expect(heard.callerMs).toBeGreaterThan(heard.lengthMs - 400);
    expect(heard.beepMs).toBeLessThan(60);
    expect(Math.abs((message.lengthMs ?? 0) - heard.lengthMs)).toBeLessThan(50);
    expect(message.file).toBe(`${message.id}.wav`);
    expect(await lab.story(call)).toEqual(
      expect.arrayContaining([
        'call:exit',
        'voicemail:greeting',
        'voicemail:recording',
        'voicemail:left',
        'call:ended',
      ]),
    );
  }, 60_000);

  it('by a key, and hangs up in the middle of the message: it is kept, and nobody counts the call as abandoned', async () => {
    const { lab } = suite;
    const call = await toMailbox('1');
    await afterTheTone(call);
    await sleep(1_500);
    await call.hangUp();
    expect(await lab.ending(call)).toEqual(LEFT);
    const message = await messageOf(suite, call);
    const heard = await listen(suite, message);
    expect(heard.callerMs).toBeGreaterThan(1_200);
    expect(heard.lengthMs).toBeLessThan(2_300);
    const { rows } = await lab.database.db.query<{ outcome: string }>(
      'select v.outcome from queue_visits v where v.call_id = $1',
      [message.callId],
    );
    expect(rows).toEqual([{ outcome: 'moved' }]);
  }, 60_000);

  it('because the queue is closed, and to the mailbox of another queue; # ends the greeting', async () => {
    const { lab } = suite;
    const call = await lab.dial({ to: SALES_NUMBER, listenFor: EARS });
    await hears(call, SOUNDS.announcement, 100);
    call.sendDtmf('#');
    await afterTheTone(call);
    expect(call.heardMs(SOUNDS.announcement)).toBeLessThan(700);
    expect(call.heardMs(SOUNDS.salesMusic)).toBe(0);
    await sleep(1_300);
    await call.hangUp();
    expect(await lab.ending(call)).toEqual(LEFT);
    expect(await messageOf(suite, call)).toMatchObject({ queue: 'support' });
  }, 60_000);

  it('by a step of a flow, to a mailbox without greeting and thanks', async () => {
    const { lab } = suite;
    const call = await lab.dial({ to: FLOW_NUMBER, listenFor: EARS });
    await afterTheTone(call);
    await sleep(800);
    call.sendDtmf('#');
    expect(await call.ended).toMatchObject({ by: 'remote' });
    expect(await lab.ending(call)).toEqual(LEFT);
    expect(await messageOf(suite, call)).toMatchObject({ queue: 'sales', state: 'new' });
  }, 60_000);
});

describe('a message ends', () => {
  it('with silence after it, which the caller need not wait out', async () => {
    const { lab } = suite;
    const call = await toMailbox('1');
    await afterTheTone(call);
    await sleep(1_500);
    call.say([]);
    await hears(call, THANKS, 300, 10_000);
    await call.ended;
    expect(await lab.ending(call)).toEqual(LEFT);
    const message = await messageOf(suite, call);
    const heard = await listen(suite, message);
    expect(heard.callerMs).toBeGreaterThan(1_200);
    expect(heard.lengthMs - heard.callerMs).toBeGreaterThan(1_700);
    expect(heard.lengthMs - heard.callerMs).toBeLessThan(2_800);
  }, 60_000);

  it('with silence of a caller whose platform sends nothing at all while nobody speaks', async () => {
    const { lab } = suite;
    const call = await toMailbox('1');
    await afterTheTone(call);
    await sleep(1_500);
    call.phone.media.play({ kind: 'nothing' });
    await hears(call, THANKS, 300, 10_000);
    await call.ended;
    expect(await lab.ending(call)).toEqual(LEFT);
    expect((await listen(suite, await messageOf(suite, call))).callerMs).toBeGreaterThan(1_200);
  }, 60_000);

  it('at the longest length', async () => {
    const { lab } = suite;
    const call = await toMailbox('1');
    await afterTheTone(call);
    await hears(call, THANKS, 300, 15_000);
    await call.ended;
    expect(await lab.ending(call)).toEqual(LEFT);
    const { lengthMs } = await listen(suite, await messageOf(suite, call));
    // The media server counts whole seconds of the clock.
    expect(lengthMs).toBeGreaterThan(5_800);
    expect(lengthMs).toBeLessThan(7_400);
  }, 60_000);
});

describe('no message is', () => {
  /** Rows of the call, also those that are thrown away. */
  async function rows(call: CarrierCall): Promise<readonly { readonly removed: boolean }[]> {
    const { id } = await suite.lab.row(call);
    return (
      await suite.lab.database.db.query<{ removed: boolean }>(
        `select removed_at is not null as removed from voicemails where call_id = $1`,
        [id],
      )
    ).rows;
  }

  it('only silence: it is thrown away with its file, and the call ends as what it was', async () => {
    const { lab } = suite;
    const call = await toMailbox();
    await hears(call, SOUNDS.announcement, 100, 10_000);
    call.say([]);
    expect(await call.ended).toMatchObject({ by: 'remote' });
    expect(call.heardMs(THANKS)).toBe(0);
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'wait-too-long' });
    expect(await lab.story(call)).toContain('voicemail:discarded');
    // The row goes once its file is gone.
    await eventually('row and file are gone', async () => ((await rows(call)).length === 0 ? true : undefined), 20_000);
    expect((await messages(suite)).map(({ callId }) => callId)).not.toContain((await lab.row(call)).id);
  }, 60_000);

  it('silence that the caller ends by hanging up', async () => {
    const { lab } = suite;
    const call = await toMailbox('1');
    await hears(call, SOUNDS.announcement, 100, 10_000);
    call.say([]);
    await afterTheTone(call);
    await sleep(1_300);
    await call.hangUp();
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'left-by-key' });
  }, 60_000);

  it('what is shorter than a message, nor a caller who leaves in the greeting', async () => {
    const { lab } = suite;
    const short = await toMailbox('1');
    await afterTheTone(short);
    await sleep(300);
    await short.hangUp();
    expect(await lab.ending(short)).toEqual({ result: 'success', reason: 'left-by-key' });
    const early = await toMailbox('1');
    await hears(early, SOUNDS.announcement, 100);
    await early.hangUp();
    expect(await lab.ending(early)).toEqual({ result: 'success', reason: 'left-by-key' });
    expect(await rows(early)).toEqual([]);
  }, 60_000);
});

describe('a message is not lost', () => {
  it('when the database is away as it ends: it is written when the database is back', async () => {
    const { lab } = suite;
    const call = await toMailbox('1');
    await afterTheTone(call);
    await sleep(500);
    await withoutDatabase(lab.database.url, async () => {
      await sleep(1_000);
      await call.hangUp();
      await sleep(1_500);
    });
    expect(await lab.ending(call)).toEqual(LEFT);
    expect((await listen(suite, await messageOf(suite, call))).callerMs).toBeGreaterThan(1_200);
  }, 60_000);

  it('when the call is ended from outside in the middle of it', async () => {
    const { lab } = suite;
    const call = await toMailbox('1');
    await afterTheTone(call);
    await sleep(1_500);
    const { id } = await lab.row(call);
    const response = await api(suite, `calls/${id}/hang-up`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(response.status).toBe(200);
    expect(await lab.ending(call)).toEqual({ result: 'success', reason: 'ended-by-admin' });
    expect((await listen(suite, await messageOf(suite, call))).callerMs).toBeGreaterThan(1_100);
  }, 60_000);

  it('when its node dies: another makes a message of what there is', async () => {
    const { lab } = suite;
    const call = await toMailbox('1');
    await afterTheTone(call);
    await sleep(1_500);
    await call.hangUp();
    const message = await messageOf(suite, call);
    // As the row is after a crash: nobody has ended it, and its time is over.
    await lab.database.db.query(
      `update voicemails set state = 'recording', ended_at = null, length_ms = null, over_by = clock_timestamp() where id = $1`,
      [message.id],
    );
    expect((await messages(suite)).map(({ id }) => id)).not.toContain(message.id);
    const again = await eventually(
      'the message is there again',
      async () => (await messages(suite)).find(({ id }) => id === message.id),
      20_000,
    );
    expect(again).toMatchObject({ state: 'new', lengthMs: message.lengthMs });
  }, 60_000);
});

describe('a message is ticked off and deleted', () => {
  it('over the API: who, when, and in the end neither row nor file are there', async () => {
    const { lab } = suite;
    const call = await toMailbox('1');
    await afterTheTone(call);
    await sleep(1_300);
    await call.hangUp();
    const { id } = await messageOf(suite, call);
    const post = (what: string, body: object): Promise<Response> =>
      api(suite, `voicemails/${id}/${what}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect(await (await post('state', { state: 'done' })).json()).toMatchObject({
      changed: true,
      voicemail: { id, state: 'done', changedBy: expect.any(String) },
    });
    expect((await post('state', { state: 'lost' })).status).toBe(400);
    expect(await (await post('delete', {})).json()).toMatchObject({ deleted: true });
    expect((await api(suite, `voicemails/${id}/audio`)).status).toBe(404);
    expect((await api(suite, `voicemails/${id}`)).status).toBe(404);
    await eventually(
      'the row is gone, after its file',
      async () =>
        (await lab.database.db.query('select from voicemails where id = $1', [id])).rowCount === 0 ? true : undefined,
      20_000,
    );
    const { rows } = await lab.database.db.query<{ what: string; after: object }>(
      `select what, after from audit_log where noun = 'voicemail' and name = $1 order by id`,
      [id],
    );
    expect(rows).toEqual([
      { what: 'change', after: expect.objectContaining({ state: 'done' }) },
      { what: 'change', after: expect.objectContaining({ removed_at: expect.any(String) }) },
    ]);
  }, 60_000);
});
