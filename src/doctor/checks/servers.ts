import { formatHostPort } from '../../config/settings-values';
import { failure } from '../check';
import type { Check, CheckResult } from '../check';
import { needed } from '../ports';
import type { Bench, MediaBench } from '../ports';

/** What the configuration files of the project were tested with. */
const TESTED_DRACHTIO = '0.9';
const NEEDED_TRANSPORTS = ['udp', 'tcp'] as const;

export const drachtioCheck: Check<Bench> = {
  step: 'drachtio',
  about: 'drachtio-server answers and takes the secret',
  needs: ['settings'],
  async run(bench) {
    const [address] = needed(bench.settings).drachtio;
    const sip = await bench.ports.sip(needed(address));
    bench.sip = sip;
    const listens = sip.transports.map(({ protocol, host, port }) => `${protocol}/${host}:${port}`).join(', ');
    if (!sip.transports.some(({ protocol }) => NEEDED_TRANSPORTS.some((one) => one === protocol))) {
      const fix = 'add a udp or tcp contact to drachtio.conf.xml';
      return [{ verdict: 'fail', found: `version ${sip.version}, listens on ${listens || 'nothing'}`, fix }];
    }
    const found = `version ${sip.version}, ${listens}`;
    return sip.version.includes(`${TESTED_DRACHTIO}.`)
      ? [{ verdict: 'ok', found }]
      : [{ verdict: 'warn', found, fix: `version ${TESTED_DRACHTIO} is what was tested` }];
  },
};

export const freeswitchCheck: Check<Bench> = {
  step: 'freeswitch',
  about: 'FreeSWITCH answers and takes the secret',
  needs: ['settings'],
  async run(bench) {
    const results: CheckResult[] = [];
    for (const address of needed(bench.settings).freeswitch) {
      const name = formatHostPort(address);
      try {
        const media = await bench.ports.media(address);
        bench.media.set(name, media);
        const version = /Version (\S+)/.exec(await media.api('version'))?.[1] ?? 'unknown version';
        results.push({ verdict: 'ok', found: `${name}: version ${version}` });
      } catch (error) {
        const failed = failure(error);
        results.push({ ...failed, found: `${name}: ${failed.found}` });
      }
    }
    return results;
  },
};

/** One result for each FreeSWITCH that answers. */
async function onEach(
  bench: Bench,
  look: (media: MediaBench, name: string) => Promise<CheckResult>,
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  for (const [name, media] of bench.media) {
    const { found, ...rest } = await look(media, name);
    results.push({ ...rest, found: `${name}: ${found}` });
  }
  return results;
}

/** As `show codec` calls them, and as carriers do. */
const CODECS = [
  ['PCMA', /G\.711 alaw|PCMA/i],
  ['PCMU', /G\.711 ulaw|PCMU/i],
] as const;

export const codecsCheck: Check<Bench> = {
  step: 'codecs',
  about: 'codecs of FreeSWITCH',
  needs: ['freeswitch'],
  run: (bench) =>
    onEach(bench, async (media) => {
      const text = await media.api('show codec');
      const missing = CODECS.filter(([, pattern]) => !pattern.test(text)).map(([name]) => name);
      return missing.length === 0
        ? { verdict: 'ok', found: CODECS.map(([name]) => name).join(', ') }
        : {
            verdict: 'fail',
            found: `${missing.join(' and ')} missing`,
            fix: 'load the codecs of the core (modules.conf.xml)',
          };
    }),
};

/** Below this share of free sessions a burst of calls is refused. */
const FEW_FREE = 0.1;

export const sessionsCheck: Check<Bench> = {
  step: 'sessions',
  about: 'free sessions of FreeSWITCH',
  needs: ['freeswitch'],
  run: (bench) =>
    onEach(bench, async (media) => {
      const text = await media.api('status');
      const most = Number(/^(\d+) session\(s\) max/m.exec(text)?.[1] ?? NaN);
      const now = Number(/^(\d+) session\(s\) - peak/m.exec(text)?.[1] ?? NaN);
      if (Number.isNaN(most) || Number.isNaN(now)) {
        return { verdict: 'fail', found: 'its status cannot be read', fix: 'try `fs_cli -x status` on that machine' };
      }
      const free = most - now;
      const verdict = free <= 0 ? 'fail' : free < most * FEW_FREE ? 'warn' : 'ok';
      const fix = 'add a FreeSWITCH to SIDEKICK_FREESWITCH, or raise max-sessions (switch.conf.xml)';
      return { verdict, found: `${free} of ${most} free`, fix: verdict === 'ok' ? undefined : fix };
    }),
};

const GIB = 1024 ** 3;

export const recordingsCheck: Check<Bench> = {
  step: 'recordings',
  about: 'disk for recordings',
  needs: ['freeswitch'],
  run: (bench) =>
    onEach(bench, async (media) => {
      const folder = (await media.api('global_getvar recordings_dir')).trim();
      if (folder === '' || folder.startsWith('-')) {
        const fix = 'start FreeSWITCH with -recordings, as sbc-config does';
        return { verdict: 'fail', found: 'FreeSWITCH has no folder for recordings', fix };
      }
      const space = await bench.ports.space(folder);
      if (space === undefined) {
        return { verdict: 'skipped', found: `${folder} is not on this machine; run doctor there` };
      }
      const share = space.free / space.total;
      const verdict = share < 0.05 || space.free < GIB ? 'fail' : share < 0.15 ? 'warn' : 'ok';
      const found = `${(space.free / GIB).toFixed(1)} GiB (${Math.round(share * 100)} %) free in ${folder}`;
      return {
        verdict,
        found,
        fix: verdict === 'ok' ? undefined : 'delete or move old recordings, or enlarge the disk',
      };
    }),
};
