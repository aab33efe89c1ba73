import { connect } from 'node:net';
import { EslClient } from './kit/esl-client';
import { Lab, wait } from './kit/lab';

describe('the event socket', () => {
  let lab: Lab;
  beforeEach(async () => {
    lab = await Lab.start({ timers: { heartbeatMs: 100 } });
  });
  afterEach(async () => {
    await lab.close();
  });

  const raw = (): Promise<{ write: (text: string) => void; read: () => Promise<string>; closed: () => boolean }> =>
    new Promise((resolve) => {
      const socket = connect(lab.server.esl.port, '127.0.0.1');
      let text = '';
      let closed = false;
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      socket.on('close', () => (closed = true));
      socket.on('error', () => undefined);
      resolve({
        write: (t) => socket.write(t),
        read: async () => {
          await wait(50);
          const all = text;
          text = '';
          return all;
        },
        closed: () => closed,
      });
    });

  test('lets nobody in without the secret', async () => {
    const client = await raw();
    expect(await client.read()).toBe('Content-Type: auth/request\n\n');
    client.write('api status\n\n');
    expect(await client.read()).toBe('Content-Type: command/reply\nReply-Text: -ERR command not found\n\n');
    client.write('auth wrong\n\n');
    expect(await client.read()).toBe(
      'Content-Type: command/reply\nReply-Text: -ERR invalid\n\nContent-Type: text/disconnect-notice\nContent-Length: 67\n\nDisconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n',
    );
    expect(client.closed()).toBe(true);
    expect(lab.server.stats().eslRejected).toBe(2);
  });

  test('takes commands however they are cut, with CR LF too, and answers in order', async () => {
    const client = await raw();
    await client.read();
    for (const piece of [
      'au',
      `th ${lab.secret}\r`,
      '\n\r\n',
      'api create_uuid\n',
      '\napi uuid_exists x\n\nevent plain NOSUCH\n\n',
    ]) {
      client.write(piece);
      await wait(10);
    }
    expect(await client.read()).toMatch(
      /^Content-Type: command\/reply\nReply-Text: \+OK accepted\n\nContent-Type: api\/response\nContent-Length: 36\n\n[0-9a-f-]{36}Content-Type: api\/response\nContent-Length: 5\n\nfalseContent-Type: command\/reply\nReply-Text: -ERR no keywords supplied\n\n$/,
    );
    client.write('exit\n\n');
    expect(await client.read()).toContain('+OK bye');
    expect(client.closed()).toBe(true);
  });

  test.each([
    ['event json HEARTBEAT', '+OK event listener enabled json'],
    ['event plain ALL', '+OK event listener enabled plain'],
    ['event json SWITCH_EVENT_PLAYBACK_START', '+OK event listener enabled json'],
    ['event json', '-ERR no keywords supplied'],
    ['nixevent ALL', '+OK events nixed'],
    ['noevents', '+OK no longer listening for events'],
    ['filter Unique-ID 1', '+OK filter added. [Unique-ID]=[1]'],
    ['filter delete Unique-ID 1', '+OK filter deleted. [Unique-ID][1]'],
    ['linger', '-ERR not controlling a session'],
    ['sendmsg nobody\ncall-command: hangup', '-ERR invalid session id [nobody]'],
    ['log 7', '+OK log level 7 [7]'],
    ['nonsense', '-ERR command not found'],
    ['api', '-ERR command not found'],
  ])('%s is answered %s', async (command, reply) => {
    const client = await lab.client();
    expect((await client.send(command)).headers['Reply-Text']).toBe(reply);
  });

  test.each([
    ['nosuch', '-ERR nosuch Command not found!\n'],
    ['__proto__', '-ERR __proto__ Command not found!\n'],
    ['uuid_kill nobody', '-ERR No such channel!\n'],
    ['uuid_break nobody', '-ERR No such channel!\n'],
    ['uuid_record nobody start x.wav', '-ERR Cannot locate session!\n'],
    ['uuid_setvar nobody a b', '-ERR No such channel!\n'],
    ['show channels count', '\n0 total.\n'],
    ['show calls count', '\n0 total.\n'],
    ['show channels as json', '{"row_count": 0}\n'],
    ['fsctl max_sessions', '+OK max sessions: 1000\n'],
    ['fsctl sps 50', '+OK sessions per second: 50\n'],
    ['fsctl min_idle_cpu', '+OK min idle cpu: DISABLED\n'],
    ['hupall', '+OK hangup all channels with cause MANAGER_REQUEST\n'],
    ['hupall NORMAL_CLEARING a b', '+OK hangup all channels matching [a]=[b] with cause: NORMAL_CLEARING\n'],
    ['eval ${hold_music}', 'local_stream://moh/8000'],
    ['hostname', 'embedded'],
    ['module_exists mod_sofia', 'true'],
    ['sched_hangup +5 nobody', '-ERR No such channel!\n'],
  ])('api %s says %j', async (command, reply) => {
    expect(await lab.control.api(command)).toBe(reply);
  });

  test('sofia status is what fsmrf reads', async () => {
    const line = '='.repeat(97);
    expect(await lab.control.api('sofia status')).toBe(
      `                     Name\t   Type\t                                      Data\tState\n${line}\n` +
        `             drachtio_mrf\tprofile\t${`sip:mod_sofia@127.0.0.1:${lab.server.sip.port}`.padStart(42)}\tRUNNING (0)\n${line}\n1 profile 0 aliases\n`,
    );
  });

  test('global variables are set, read and removed', async () => {
    await lab.control.api('global_setvar color=red');
    expect(await lab.control.api('global_getvar color')).toBe('red');
    expect(await lab.control.api('eval x${color}y${nothing}z')).toBe('xredyz');
  });

  test('bgapi answers at once and tells the result by an event, in both formats', async () => {
    const plain = await lab.client();
    await plain.send('event plain BACKGROUND_JOB');
    const reply = await plain.send('bgapi status\nJob-UUID: my-job');
    expect(reply.headers).toMatchObject({ 'Reply-Text': '+OK Job-UUID: my-job', 'Job-UUID': 'my-job' });
    const event = await plain.event((e) => e['Job-UUID'] === 'my-job');
    expect(event).toMatchObject({ 'Event-Name': 'BACKGROUND_JOB', 'Job-Command': 'status' });
    expect(event['_body']).toMatch(/^UP 0 years, 0 days, .*\n.*\n.*\n.*\n.*\n.*\n.*\n$/);
    expect(event['_body']).toBe((await lab.control.event((e) => e['Job-UUID'] === 'my-job'))['_body']);
  });

  test('filters are alternatives and do not touch replies', async () => {
    const a = await lab.endpoint();
    const b = await lab.endpoint();
    const client = await lab.client();
    await client.send('event json ALL');
    await client.send(`filter Unique-ID ${b.uuid}`);
    await client.send('filter Event-Name HEARTBEAT');
    await client.execute(a.uuid, 'set', 'x=1');
    await client.execute(b.uuid, 'set', 'x=2');
    await client.event((e) => e['Event-Name'] === 'HEARTBEAT');
    await client.event((e) => e['Application-Data'] === 'x=2');
    expect(client.events.filter((e) => e['Unique-ID'] === a.uuid)).toEqual([]);
  });

  test('myevents on a channel gives its events only, linger keeps the socket after the hang-up', async () => {
    const a = await lab.endpoint();
    const b = await lab.endpoint();
    await a.esl.send('noevents');
    expect((await a.esl.send('myevents json')).headers['Reply-Text']).toBe('+OK Events Enabled');
    expect((await a.esl.send('linger 1')).headers['Reply-Text']).toBe('+OK will linger 1 seconds');
    await lab.control.execute(b.uuid, 'set', 'y=1');
    await a.session.bye();
    await a.esl.event((e) => e['Event-Name'] === 'CHANNEL_HANGUP_COMPLETE');
    expect(a.esl.messages.at(-1)!.headers['Content-Disposition']).toBe('linger');
    expect(a.esl.closed).toBe(false);
    expect(a.esl.events.every((e) => e['Unique-ID'] === a.uuid)).toBe(true);
    await a.esl.until(() => a.esl.closed, 3000);
  });

  test('sendevent reaches those who asked for it', async () => {
    const client = await lab.client();
    await client.send('event json CUSTOM my::thing');
    const reply = await lab.control.send('sendevent CUSTOM\nEvent-Subclass: my::thing\nX-Note: hello');
    expect(reply.headers['Reply-Text']).toMatch(/^\+OK [0-9a-f-]{36}$/);
    expect(await client.event((e) => e['Event-Subclass'] === 'my::thing')).toMatchObject({ 'X-Note': 'hello' });
  });

  test.each([
    ['a head without end', 'x'.repeat(80_000)],
    ['a body of a gigabyte', 'sendevent X\nContent-Length: 1000000000\n\n'],
    ['a negative length', 'sendevent X\nContent-Length: -1\n\n'],
  ])('%s closes that connection only', async (_name, text) => {
    const client = await lab.client();
    client.socket.write(text);
    await client.until(() => client.closed);
    expect(await lab.control.api('uuid_exists x')).toBe('false');
    expect(lab.server.stats().eslRejected).toBe(1);
  });

  test('bytes that mean nothing are answered or ignored, and the server lives', async () => {
    const client = await lab.client();
    for (let i = 0; i < 200; i++) {
      client.socket.write(Buffer.from(Array.from({ length: 40 }, (_, k) => (i * 31 + k * 17) & 0xff)));
    }
    client.socket.write('\n\n');
    await wait(100);
    expect(await lab.control.api('hostname')).toBe('embedded');
  });

  test('a client that leaves in the middle of a command leaves nothing behind', async () => {
    const client = await lab.client();
    client.socket.write('api originate {origination_uuid=u1}sofia/drachtio_mrf/x@127.0.0.1:1 &park()\n\n');
    client.close();
    await lab.control.until(() =>
      lab.control.events.some((e) => e['Event-Name'] === 'CHANNEL_CREATE' && e['Unique-ID'] === 'u1'),
    );
    await lab.control.api('uuid_kill u1');
    await lab.control.event((e) => e['Event-Name'] === 'CHANNEL_DESTROY');
    expect(lab.server.stats().eslConnections).toBe(1);
  });

  test('channels are listed, dumped and found by variable', async () => {
    const { uuid, esl } = await lab.endpoint({}, { 'X-acd-node': 'n1' });
    await lab.endpoint({}, { 'X-acd-node': 'n2' });
    const list = JSON.parse(await lab.control.api('show channels as json'));
    expect(list.row_count).toBe(2);
    expect(list.rows[0]).toMatchObject({ uuid, direction: 'inbound', callstate: 'ACTIVE', read_codec: 'PCMA' });
    expect(await lab.control.api('show channels count')).toBe('\n2 total.\n');
    expect(await lab.control.api(`uuid_dump ${uuid}`)).toMatch(
      /\nvariable_sip_user_agent: drachtio-fsmrf%3A[0-9a-f-]+\n/,
    );
    expect(await lab.control.api(`uuid_setvar_multi ${uuid} a=1;b=2;c=`)).toBe('+OK\n');
    expect(await lab.control.api(`uuid_getvar ${uuid} b`)).toBe('2');
    expect(await lab.control.api(`uuid_getvar ${uuid} c`)).toBe('_undef_');
    expect(await lab.control.api(`uuid_getvar ${uuid} read_codec`)).toBe('PCMA');
    await lab.control.api('hupall NORMAL_CLEARING sip_h_X-acd-node n1');
    await esl.until(() => esl.closed);
    expect(lab.server.channels).toBe(1);
  });

  test('a wrong secret is not shown in the log', async () => {
    await expect(EslClient.inbound(lab.server.esl.port, 'hunter2')).rejects.toThrow();
    expect(lab.log.join()).not.toContain('hunter2');
  });
});
