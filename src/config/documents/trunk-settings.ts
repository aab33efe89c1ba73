import { isIP } from 'node:net';
import { z } from 'zod';

/** Where a secret is; documents never hold the secret itself. */
const passwordFrom = z
  .string()
  .regex(
    /^([A-Z][A-Z0-9_]{0,127}|secret:[A-Za-z0-9][A-Za-z0-9._-]{0,62})$/,
    'must be the name of an environment variable, such as CARRIER_PASSWORD, or secret:NAME',
  )
  .describe(
    'Where the password is: the name of an environment variable of the nodes, or secret:NAME as kept by `sidekick secrets set NAME`.',
  );

const port = z.int().min(1).max(65535);

const HOST = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;
const host = z
  .string()
  .refine(
    (text) => isIP(text) !== 0 || HOST.test(text),
    'must be a host name or an IP address, without a port or a scheme',
  );

/** Reads `a.b.c.d/n`, `x::y/n` or a single address. */
export function isCidr(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) {
    return false;
  }
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

const maxCalls = z.int().min(1).max(100_000);

export const carrierSettings = z.strictObject({
  sources: z
    .array(z.string().refine(isCidr, 'must be an address or a CIDR range, such as 203.0.113.0/24'))
    .min(1, 'needs at least one address range; calls from elsewhere are refused')
    .describe('Address ranges that calls may come from.'),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'must be an ISO 3166 code of two capital letters, such as DE')
    .optional()
    .describe(
      'Country by which national numbers of this carrier are read. Default: the country of the tenant of the dialled number.',
    ),
  digest: z
    .strictObject({
      username: z.string().min(1).max(128).describe('User name that the carrier proves.'),
      passwordFrom,
    })
    .optional()
    .describe('Asks the carrier for a digest password in addition.'),
  maxCalls: maxCalls.default(1000).describe('Calls at once; more get 503 with Retry-After.'),
  callsPerSecond: z
    .number()
    .positive()
    .max(10_000)
    .default(50)
    .describe('New calls per second; more get 503 with Retry-After.'),
  sessionExpiresSeconds: z
    .int()
    .min(90)
    .max(86_400)
    .default(1800)
    .describe('Session timer, seconds; a call whose far end vanished ends after it.'),
  outbound: z
    .strictObject({
      host: host.describe('Name or address of the carrier.'),
      port: port.optional().describe('Its SIP port. Default: 5060, for TLS 5061.'),
      transport: z.enum(['udp', 'tcp', 'tls']).default('udp').describe('How SIP is carried.'),
      fromDomain: host.optional().describe('Host part of From. Default: the address we send from.'),
      digest: z
        .strictObject({
          username: z.string().min(1).max(128).describe('User name we prove to the carrier.'),
          passwordFrom,
        })
        .optional()
        .describe('Answers the digest challenge of the carrier.'),
    })
    .optional()
    .describe('Where calls to numbers outside are sent: exits and transfers. Default: none may be made on this trunk.'),
});
export type CarrierSettings = Readonly<z.infer<typeof carrierSettings>>;

/** Outcome of an offer that a final response of Teams may be read as. */
const agentOutcome = z.enum(['no-answer', 'declined', 'busy', 'unreachable', 'failed']);

export const teamsSettings = z.strictObject({
  form: z
    .enum(['direct', 'behind-sbc'])
    .default('direct')
    .describe(
      'direct: our SIP server holds the SBC name and the certificate. behind-sbc: a certified SBC stands in between, and `proxies` names it.',
    ),
  cloud: z
    .enum(['commercial', 'gcc-high', 'dod'])
    .default('commercial')
    .describe(
      'Which Microsoft cloud the tenant is in; gives the defaults of `proxies` and `sources`. GCC is commercial.',
    ),
  sbcName: z
    .string()
    .refine(
      (text) => HOST.test(text) && isIP(text) === 0 && text.includes('.') && text.length <= 63,
      'must be the full name of the SBC, such as sbc1.example.com, of at most 63 characters',
    )
    .describe(
      'Name of our SBC as paired with the tenant; stands in Contact and in the certificate. It tells tenants apart: each tenant has its own.',
    ),
  proxies: z
    .array(
      z.strictObject({
        host: host.describe('Name of the Direct Routing proxy; stands in the request URI.'),
        port: port.default(5061).describe('TLS port.'),
        address: z
          .string()
          .regex(/^(\[[0-9a-f:.]+\]|[a-z0-9.-]+):\d{1,5}$/i, 'must be host:port')
          .optional()
          .describe(
            'Connects here instead of to host:port, such as 127.0.0.1:5071. For tests and for SBCs in between.',
          ),
      }),
    )
    .min(1, 'needs at least one proxy')
    .optional()
    .describe(
      'Direct Routing proxies in order of preference, or the SBC in front. Default: the published names of the cloud. Must be given with form behind-sbc.',
    ),
  sources: z
    .array(z.string().refine(isCidr, 'must be an address or a CIDR range, such as 52.112.0.0/14'))
    .min(1, 'needs at least one address range')
    .optional()
    .describe(
      'Address ranges that Teams (or the SBC in front) calls from. Default: the published ranges of the cloud.',
    ),
  transport: z
    .enum(['udp', 'tcp', 'tls'])
    .default('tls')
    .describe('How SIP is carried to the SBC in front. Teams itself takes TLS only.'),
  media: z
    .enum(['rtp', 'srtp'])
    .default('srtp')
    .describe('Sound toward the SBC in front. Teams itself takes SRTP only.'),
  optionsSeconds: z
    .int()
    .min(1)
    .max(180)
    .default(60)
    .describe('Time between two OPTIONS to a proxy that answers, seconds. Microsoft asks for 60 to 180.'),
  showCaller: z
    .enum(['name', 'number', 'queue-and-number', 'queue-and-name'])
    .default('name')
    .describe(
      'What an agent sees as the name of the caller: name as the carrier gave it, the number, or either with the queue in front ("Support · +49…").',
    ),
  refer: z
    .boolean()
    .default(false)
    .describe(
      'True: transfers of agents come to us as REFER, so that we know who talks and a transfer to a number of ours goes back into its queue. False: Teams transfers inside itself.',
    ),
  unansweredDelaySeconds: z
    .int()
    .min(5)
    .max(120)
    .default(20)
    .describe(
      'Delay after which Teams takes an unanswered call away from the agents (voicemail, forwarding). Agents are rung three seconds less at most.',
    ),
  outcomes: z
    .record(z.string().regex(/^[4-6]\d\d$/, 'must be a SIP status from 400 to 699'), agentOutcome)
    .optional()
    .describe('Reads a final response of Teams otherwise than docs/teams.md says, such as { "480": busy }.'),
  uriParameters: z
    .string()
    .regex(/^[a-z0-9_.~-]+(=[A-Za-z0-9_.:~%-]+)?(;[a-z0-9_.~-]+(=[A-Za-z0-9_.:~%-]+)?)*$/i, 'must be name=value;name')
    .max(200)
    .optional()
    .describe('Put behind the request URI of each call to an agent, without the first semicolon. Default: nothing.'),
  maxCalls: maxCalls.default(1000).describe('Agent legs at once on this trunk.'),
});
export type TeamsSettings = Readonly<z.infer<typeof teamsSettings>>;

export const PBX_CODECS = ['PCMA', 'PCMU', 'G722', 'OPUS'] as const;

export const pbxSettings = z.strictObject({
  host: host.describe('Name or address of the PBX.'),
  port: port.optional().describe('Its SIP port. Default: 5060, for TLS 5061.'),
  transport: z.enum(['udp', 'tcp', 'tls']).default('udp').describe('How SIP is carried.'),
  media: z.enum(['rtp', 'srtp']).default('rtp').describe('Plain RTP, or SRTP with keys in the SDP.'),
  codecs: z.array(z.enum(PBX_CODECS)).min(1).default(['PCMA', 'PCMU']).describe('Codecs to offer, in order.'),
  fromDomain: host.optional().describe('Host part of From. Default: the address we send from.'),
  digest: z
    .strictObject({
      username: z.string().min(1).max(128).describe('User name we prove to the PBX.'),
      passwordFrom,
    })
    .optional()
    .describe('Answers the digest challenge of the PBX.'),
  maxCalls: maxCalls.default(1000).describe('Agent legs at once on this trunk.'),
});
export type PbxSettings = Readonly<z.infer<typeof pbxSettings>>;

export const webSettings = z.strictObject({});
