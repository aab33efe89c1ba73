import fc from 'fast-check';
import { teamsSettings } from '../../../src/config/documents/trunk-settings';
import type { TeamsSettings } from '../../../src/config/documents/trunk-settings';
import { parseNameAddr, parseUri } from '../../../src/embedded/sip/uri';
import { optionsRequest } from '../../../src/signaling/teams/options-request';
import { referredInvites, teamsInvites } from '../../../src/signaling/teams/teams-invite';
import { teamsTrunk } from '../../../src/signaling/teams/teams-trunk';
import type { TeamsTrunk } from '../../../src/signaling/teams/teams-trunk';

function trunk(settings: Partial<TeamsSettings> = {}): TeamsTrunk {
  return teamsTrunk('t1', 'teams', teamsSettings.parse({ sbcName: 'sbc.example.com', ...settings }));
}

const call = { caller: { number: '+491700000001', name: 'Ulla "U" Weber' }, queue: 'Support', port: 5061 };

describe('the INVITE to a Teams agent', () => {
  const two = trunk({
    proxies: [
      { host: 'sip.pstnhub.microsoft.com', port: 5061 },
      { host: 'sip2.pstnhub.microsoft.com', port: 5061, address: '127.0.0.1:7000' },
    ],
  });
  const [first, second] = teamsInvites(two, '+49301000201', call);

  it('has the shape that Microsoft asks for: +E.164, user=phone, our name and never an address', () => {
    expect(first?.uri).toBe('sip:+49301000201@sip.pstnhub.microsoft.com;user=phone;transport=tls');
    expect(first?.headers['Contact']).toBe('<sip:+491700000001@sbc.example.com:5061;transport=tls>');
    expect(first?.headers['From']).toBe('"Ulla U Weber" <sip:+491700000001@sbc.example.com;transport=tls;user=phone>');
    expect(first?.headers['To']).toBe('<sip:+49301000201@sip.pstnhub.microsoft.com;user=phone>');
    expect(first?.headers['Session-Expires']).toBe('1800;refresher=uac');
    expect(first?.headers['Allow']).not.toContain('REFER');
    expect(first?.headers['Allow']).toContain('NOTIFY');
  });

  it('goes to the proxies in order, to an address of its own where one is given', () => {
    expect(first?.proxy).toBe('sip:sip.pstnhub.microsoft.com:5061;transport=tls;lr');
    expect(second?.proxy).toBe('sip:127.0.0.1:7000;transport=tls;lr');
  });

  it('keeps an anonymous caller anonymous', () => {
    const [invite] = teamsInvites(two, '+49301000201', { ...call, caller: { number: undefined, name: undefined } });
    expect(invite?.headers['From']).toBe('"Anonymous" <sip:anonymous@sbc.example.com;transport=tls>');
    expect(invite?.headers['Privacy']).toBe('id');
  });

  it('offers REFER only where the trunk takes transfers', () => {
    expect(teamsInvites(trunk({ refer: true }), '+49301000201', call)[0]?.headers['Allow']).toContain('REFER');
  });

  it.each([
    ['name', 'Ulla U Weber'],
    ['number', '+491700000001'],
    ['queue-and-number', 'Support · +491700000001'],
    ['queue-and-name', 'Support · Ulla U Weber'],
  ] as const)('shows the caller as the tenant wishes: %s', (showCaller, shown) => {
    const [invite] = teamsInvites(trunk({ showCaller }), '+49301000201', call);
    expect(parseNameAddr(invite?.headers['From'] ?? '')?.name).toBe(shown);
  });

  it('carries out a REFER with its URI and Referred-By byte for byte', () => {
    const referTo = 'sip:sip.pstnhub.microsoft.com:5061;transport=tls;x-m=8:orgid:11ab;x-t=22CD';
    const referredBy = '<sip:+49301000201@sip.pstnhub.microsoft.com;x-m=8:orgid:33;x-ti=A%20b;x-tt=aHR0>';
    const [invite] = referredInvites(two, { referTo, referredBy }, call);
    expect(invite?.uri).toBe(referTo);
    expect(invite?.headers['Referred-By']).toBe(referredBy);
    expect(invite?.proxy).toBe('sip:sip.pstnhub.microsoft.com:5061;transport=tls;lr');
  });

  it('a certified SBC in front is called itself, over the transport that it takes', () => {
    const behind = trunk({
      form: 'behind-sbc',
      transport: 'tcp',
      media: 'rtp',
      proxies: [{ host: '192.0.2.7', port: 5060 }],
    });
    const [invite] = teamsInvites(behind, '+49301000201', call);
    expect(invite?.uri).toBe('sip:+49301000201@192.0.2.7:5060;user=phone;transport=tcp');
    expect(invite?.proxy).toBe('sip:192.0.2.7:5060;transport=tcp;lr');
    expect(behind.srtp).toBe(false);
  });

  it('whatever a carrier gives as name and number, the headers stay one line each and readable', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.option(fc.stringMatching(/^\+[1-9]\d{4,14}$/), { nil: undefined }),
        fc.constantFrom('name', 'number', 'queue-and-number', 'queue-and-name'),
        (name, number, showCaller) => {
          const [invite] = teamsInvites(trunk({ showCaller }), '+49301000201', { ...call, caller: { number, name } });
          const from = invite?.headers['From'] ?? '';
          expect(from).not.toMatch(/[\r\n\0]/);
          const address = parseNameAddr(from);
          expect(parseUri(address?.uri ?? '')?.host).toBe('sbc.example.com');
          expect(parseUri(address?.uri ?? '')?.user).toBe(number ?? 'anonymous');
        },
      ),
    );
  });
});

describe('the OPTIONS to a proxy', () => {
  const { uri, headers, proxy } = optionsRequest(trunk(), { host: 'sip2.pstnhub.microsoft.com', port: 5061 }, 5061);

  it('has no user, no telephone number, and our name in Contact', () => {
    expect(uri).toBe('sip:sip2.pstnhub.microsoft.com:5061;transport=tls');
    expect(headers['Contact']).toBe('<sip:sbc.example.com:5061;transport=tls>');
    expect(headers['From']).toBe('<sip:sbc.example.com:5061;transport=tls>');
    expect(headers['To']).toBe('<sip:sip2.pstnhub.microsoft.com:5061>');
    expect(proxy).toBe('sip:sip2.pstnhub.microsoft.com:5061;transport=tls;lr');
  });
});

describe('the defaults of a cloud', () => {
  it('commercial tenants have three proxies and two ranges', () => {
    expect(trunk().proxies.map((p) => p.host)).toEqual([
      'sip.pstnhub.microsoft.com',
      'sip2.pstnhub.microsoft.com',
      'sip3.pstnhub.microsoft.com',
    ]);
    expect(trunk().sources).toEqual(['52.112.0.0/14', '52.122.0.0/15']);
  });

  it('GCC High and DoD have one name each, and ranges of their own', () => {
    expect(trunk({ cloud: 'gcc-high' }).proxies).toEqual([{ host: 'sip.pstnhub.gov.teams.microsoft.us', port: 5061 }]);
    expect(trunk({ cloud: 'dod' }).proxies).toEqual([{ host: 'sip.pstnhub.dod.teams.microsoft.us', port: 5061 }]);
    expect(trunk({ cloud: 'dod' }).sources).toEqual(['52.127.64.0/21']);
  });

  it('agents are rung three seconds less than Teams waits before it takes the call away', () => {
    expect(trunk().ringLimitMs).toBe(17_000);
    expect(trunk({ unansweredDelaySeconds: 40 }).ringLimitMs).toBe(37_000);
  });
});
