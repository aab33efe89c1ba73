import { formatHostPort } from '../../config/settings-values';
import { checkCertificate } from '../../lib/certificate-check';
import { describeError } from '../../lib/errors';
import { checkSuites } from '../../lib/tls-suites';
import { optionsRequest } from '../../signaling/teams/options-request';
import { judgePeer, placeOf } from '../../signaling/teams/peer-watch';
import { teamsTrunk } from '../../signaling/teams/teams-trunk';
import type { TeamsProxy, TeamsTrunk } from '../../signaling/teams/teams-trunk';
import type { TrunkActivity, TrunkConfig } from '../../store';
import type { Check, CheckResult } from '../check';
import { needed } from '../ports';
import type { Bench, OptionsAnswer } from '../ports';

/** Teams trunks that are switched on. */
async function teamsTrunks(bench: Bench): Promise<TeamsTrunk[]> {
  return (await needed(bench.database).trunks()).flatMap((trunk) =>
    trunk.kind === 'teams' && trunk.enabled ? [teamsTrunk(trunk.id, trunk.name, trunk.settings)] : [],
  );
}

export const certificateCheck: Check<Bench> = {
  step: 'certificate',
  about: 'certificate of the SBC',
  needs: ['migrations', 'drachtio'],
  async run(bench) {
    const names = (await teamsTrunks(bench)).filter(({ form }) => form === 'direct').map(({ sbcName }) => sbcName);
    const [first] = names;
    if (first === undefined) {
      return [{ verdict: 'ok', found: 'no trunk is paired with Teams directly' }];
    }
    const bound = needed(bench.sip).transports.find(({ protocol }) => protocol === 'tls');
    if (bound === undefined) {
      const fix = 'give drachtio a tls contact and the three files of sbc-config/tls';
      return [{ verdict: 'fail', found: 'drachtio-server listens on no TLS port', fix }];
    }
    const any = ['0.0.0.0', '::', '[::]'].includes(bound.host);
    const host = any ? needed(needed(bench.settings).drachtio[0]).host : bound.host.replace(/^\[|\]$/g, '');
    const peer = { host, port: bound.port };
    try {
      const certificates = await bench.ports.certificates(peer, first);
      return [
        ...checkCertificate({ certificates, roots: bench.ports.roots, names, now: bench.ports.now() }),
        ...checkSuites(await bench.ports.suites(peer, first)),
      ];
    } catch (error) {
      const fix = 'check that the TLS port can be reached from here and that the files of sbc-config/tls are in place';
      return [{ verdict: 'fail', found: `${formatHostPort(peer)} shows none: ${describeError(error)}`, fix }];
    }
  },
};

export const proxiesCheck: Check<Bench> = {
  step: 'proxies',
  about: 'Direct Routing answers OPTIONS',
  needs: ['migrations', 'drachtio'],
  async run(bench) {
    const trunks = await teamsTrunks(bench);
    if (trunks.length === 0) {
      return [{ verdict: 'ok', found: 'there is no trunk of kind teams' }];
    }
    return (await Promise.all(trunks.map((trunk) => askProxies(bench, trunk)))).flat();
  },
};

/** One proxy of several that does not answer is passed over; calls fail when none does. */
async function askProxies(bench: Bench, trunk: TeamsTrunk): Promise<readonly CheckResult[]> {
  const sip = needed(bench.sip);
  const ours = sip.transports.find(({ protocol }) => protocol === trunk.transport)?.port;
  if (ours === undefined) {
    const fix = `add a ${trunk.transport} contact to drachtio.conf.xml`;
    return [{ verdict: 'fail', found: `${trunk.name}: drachtio-server has no ${trunk.transport} transport`, fix }];
  }
  const answers = await Promise.all(
    trunk.proxies.map(async (proxy) => ({ proxy, answer: await sip.options(optionsRequest(trunk, proxy, ours)) })),
  );
  const some = answers.some(({ answer }) => isLife(answer));
  return [
    ...answers.map(({ proxy, answer }) => proxyResult(trunk, proxy, answer, some)),
    ...(await Promise.all(
      trunk.form === 'direct' ? trunk.proxies.map((proxy) => peerResult(bench, trunk, proxy)) : [],
    )),
  ];
}

/** Whose certificate the proxy shows: drachtio looks at its root alone. */
async function peerResult(bench: Bench, trunk: TeamsTrunk, proxy: TeamsProxy): Promise<CheckResult> {
  const { greet, now, roots } = bench.ports;
  const name = `${trunk.name} ${proxy.host}`;
  const fix = 'look where DNS leads, and at what stands in between; Sidekick calls no proxy that shows another name';
  try {
    const greeting = await greet({ ...placeOf(proxy.address ?? proxy.host, proxy.port), serverName: proxy.host });
    if (greeting === undefined) {
      return { verdict: 'warn', found: `${name}: it refuses the cipher suites of Direct Routing`, fix };
    }
    const fault = judgePeer(greeting, proxy.host, { at: now(), anyRoot: proxy.address !== undefined, roots });
    return fault === undefined
      ? { verdict: 'ok', found: `${name}: shows the certificate of ${proxy.host}` }
      : { verdict: fault.impostor ? 'fail' : 'warn', found: `${name}: ${fault.text}`, fix };
  } catch (error) {
    const found = `${name}: its certificate cannot be seen from here: ${describeError(error)}`;
    return { verdict: 'warn', found, fix: `let this machine open TCP ${proxy.port} to it, as drachtio does` };
  }
}

function isLife(answer: OptionsAnswer): boolean {
  return answer.kind === 'answered' && answer.status >= 200 && answer.status < 300;
}

function proxyResult(trunk: TeamsTrunk, proxy: TeamsProxy, answer: OptionsAnswer, others: boolean): CheckResult {
  const name = `${trunk.name} ${proxy.host}`;
  if (isLife(answer) && answer.kind === 'answered') {
    return { verdict: 'ok', found: `${name}: ${answer.status} after ${answer.ms} ms` };
  }
  const verdict = others ? 'warn' : 'fail';
  if (answer.kind === 'silent') {
    const fix = `open TLS to ${proxy.host}:${proxy.port} in the firewall, and check that drachtio trusts the roots of sbc-config/tls`;
    return { verdict, found: `${name}: no answer (${answer.why})`, fix };
  }
  const fix =
    answer.status === 403
      ? `pair ${trunk.sbcName} with the tenant (sbc-config/teams), and compare its name with the certificate`
      : 'see docs/teams.md for what Teams means by it, and try again later';
  return { verdict, found: `${name}: ${answer.status} ${answer.reason}`.trim(), fix };
}

export const carriersCheck: Check<Bench> = {
  step: 'carriers',
  about: 'carriers and PBXs',
  needs: ['migrations', 'drachtio'],
  async run(bench) {
    const database = needed(bench.database);
    const trunks = (await database.trunks()).filter(
      ({ enabled, kind }) => enabled && (kind === 'carrier' || kind === 'pbx'),
    );
    if (!trunks.some(({ kind }) => kind === 'carrier')) {
      return [{ verdict: 'fail', found: 'there is no carrier trunk', fix: 'add a trunk of kind carrier and apply it' }];
    }
    const activity = new Map((await database.trunkActivity()).map((row) => [row.trunk, row]));
    return Promise.all(trunks.map((trunk) => carrierResult(bench, trunk, activity.get(trunk.name))));
  },
};

async function carrierResult(
  bench: Bench,
  trunk: TrunkConfig,
  activity: TrunkActivity | undefined,
): Promise<CheckResult> {
  const out = trunk.kind === 'carrier' ? trunk.settings.outbound : trunk.kind === 'pbx' ? trunk.settings : undefined;
  const last = activity?.lastCallAt;
  const calls = last === undefined ? 'no call from it in 30 days' : `last call ${new Date(last).toISOString()}`;
  if (out === undefined) {
    return last === undefined
      ? {
          verdict: 'warn',
          found: `${trunk.name}: ${calls}`,
          fix: 'place a call; a carrier whose address is not in `sources` is answered 403',
        }
      : { verdict: 'ok', found: `${trunk.name}: ${calls}, ${activity?.callsToday ?? 0} in 24 h` };
  }
  const port = out.port ?? (out.transport === 'tls' ? 5061 : 5060);
  const uri = `sip:${formatHostPort({ host: out.host, port })}${out.transport === 'udp' ? '' : `;transport=${out.transport}`}`;
  const answer = await needed(bench.sip).options({ uri, headers: { 'User-Agent': 'Sidekick' } });
  // Whatever it says, it is there.
  return answer.kind === 'answered'
    ? { verdict: 'ok', found: `${trunk.name}: ${answer.status} after ${answer.ms} ms` }
    : {
        verdict: 'fail',
        found: `${trunk.name}: ${formatHostPort({ host: out.host, port })} does not answer (${answer.why})`,
        fix: 'check host, port and transport of the trunk, and the firewalls on both sides',
      };
}
