import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { sbcConfig } from './read-config';

/** Cmdlets of the Teams module that the scripts may use, with the parameters of theirs that Microsoft documents. */
const CMDLETS: Readonly<Record<string, readonly string[]>> = {
  'New-CsOnlinePSTNGateway': [
    'Fqdn',
    'SipSignalingPort',
    'MaxConcurrentSessions',
    'Enabled',
    'MediaBypass',
    'SendSipOptions',
    'ForwardPai',
    'ForwardCallHistory',
    'FailoverTimeSeconds',
  ],
  'Get-CsOnlinePSTNGateway': ['Identity'],
  'Get-CsOnlinePstnUsage': ['Identity'],
  'Set-CsOnlinePstnUsage': ['Identity', 'Usage'],
  'Get-CsOnlineVoiceRoute': ['Identity'],
  'New-CsOnlineVoiceRoute': ['Identity', 'NumberPattern', 'OnlinePstnGatewayList', 'OnlinePstnUsages', 'Priority'],
  'Get-CsOnlineVoiceRoutingPolicy': ['Identity'],
  'New-CsOnlineVoiceRoutingPolicy': ['Identity', 'OnlinePstnUsages'],
  'Grant-CsOnlineVoiceRoutingPolicy': ['Identity', 'PolicyName'],
  'Get-CsTenantDialPlan': ['Identity'],
  'New-CsTenantDialPlan': ['Identity', 'SimpleName'],
  'Set-CsTenantDialPlan': ['Identity', 'NormalizationRules'],
  'Grant-CsTenantDialPlan': ['Identity', 'PolicyName'],
  'New-CsVoiceNormalizationRule': ['Parent', 'Name', 'Pattern', 'Translation', 'InMemory'],
  'Get-CsTeamsCallingPolicy': ['Identity'],
  'New-CsTeamsCallingPolicy': [],
  'Set-CsTeamsCallingPolicy': [],
  'Grant-CsTeamsCallingPolicy': ['Identity', 'PolicyName'],
  'Set-CsPhoneNumberAssignment': ['Identity', 'PhoneNumber', 'PhoneNumberType'],
  'Get-CsOnlineUser': ['Identity', 'Filter'],
  'Get-CsUserCallingSettings': ['Identity'],
  'Set-CsUserCallingSettings': ['Identity', 'IsForwardingEnabled', 'IsUnansweredEnabled'],
};

/** Settings of the calling policy that go in by a table (`@settings`). */
const POLICY = [
  'Identity',
  'AllowPrivateCalling',
  'AllowVoicemail',
  'AllowCallForwardingToUser',
  'AllowCallForwardingToPhone',
  'AllowCallGroups',
  'AllowDelegation',
  'BusyOnBusyEnabledType',
  'InboundPstnCallRoutingTreatment',
];

const AUTOMATIC = ['_', 'true', 'false', 'null', 'ErrorActionPreference', 'PSCmdlet', '1'];
const PAIRS: Readonly<Record<string, string>> = { ')': '(', '}': '{', ']': '[' };

/** The script without comments, and with strings and their kinds of quotes taken apart. */
function read(text: string): { readonly code: string; readonly unclosed: string | undefined } {
  let code = '';
  const open: string[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? '';
    if (text.startsWith('<#', at)) {
      at = text.indexOf('#>', at) + 1;
    } else if (char === '#') {
      at = text.indexOf('\n', at) - 1;
    } else if (char === "'") {
      const end = text.indexOf("'", at + 1);
      if (end < 0) {
        return { code, unclosed: "'" };
      }
      code += "''";
      at = end;
    } else if (char === '`') {
      // What is escaped belongs to no name; a line goes on after the end of its first part.
      code += ' ';
      at++;
    } else {
      if ('({['.includes(char)) {
        open.push(char);
      } else if (char in PAIRS && open.pop() !== PAIRS[char]) {
        return { code, unclosed: char };
      }
      code += char;
    }
  }
  return { code, unclosed: open.at(-1) ?? ((code.match(/"/g)?.length ?? 0) % 2 === 0 ? undefined : '"') };
}

const dir = path.join(sbcConfig, 'teams');
const scripts = readdirSync(dir).filter((name) => name.endsWith('.ps1'));

describe.each(scripts)('sbc-config/teams/%s', (name) => {
  const text = readFileSync(path.join(dir, name), 'utf8');
  const { code, unclosed } = read(text);

  it('closes every bracket and quote that it opens', () => {
    expect(unclosed).toBeUndefined();
  });

  it('calls only cmdlets of the Teams module that are known, with parameters of theirs', () => {
    const calls = [
      ...code.matchAll(/\b((?:Get|Set|New|Grant|Remove)-Cs[A-Za-z]+)((?:[^|\n;(){}]|\{[^}\n]*\}|\([^)\n]*\))*)/g),
    ];
    expect(calls.length).toBeGreaterThan(0);
    for (const [, cmdlet = '', rest = ''] of calls) {
      expect(Object.keys(CMDLETS)).toContain(cmdlet);
      const parameters = [...rest.matchAll(/\s-([A-Z][A-Za-z]+)/g)].map(([, parameter]) => parameter);
      expect(parameters.filter((parameter) => !CMDLETS[cmdlet]?.includes(parameter ?? ''))).toEqual([]);
    }
  });

  it('uses no variable that it does not have', () => {
    const given = new Set(
      [...code.matchAll(/(?:^|[(\s\]])\$([A-Za-z]+)\s*(?==[^=]|[,)\n]| in )/g)].map(([, variable = '']) =>
        variable.toLowerCase(),
      ),
    );
    const used = [...code.matchAll(/[$@]([A-Za-z_]\w*|\d)/g)].map(([, variable = '']) => variable);
    const known = [...given, ...AUTOMATIC.map((variable) => variable.toLowerCase())];
    expect(used.filter((variable) => !known.includes(variable.toLowerCase()))).toEqual([]);
  });

  it('stops at the first error, and can be read as a plan where it changes something', () => {
    expect(code).toMatch(/\$ErrorActionPreference = ''/);
    expect(text).toContain("$ErrorActionPreference = 'Stop'");
    if (/\b(Set|New|Grant)-Cs/.test(code)) {
      expect(code).toContain('[CmdletBinding(SupportsShouldProcess)]');
      expect(code).toContain('$PSCmdlet.ShouldProcess(');
    }
  });
});

test('the calling policy of agents holds what keeps a queue’s call away from mailboxes and forwarding', () => {
  const text = readFileSync(path.join(dir, 'agent-policy.ps1'), 'utf8');
  const table = /\$settings = @\{([^}]*)\}/.exec(text)?.[1] ?? '';
  const settings = [...table.matchAll(/^\s*(\w+)\s*=\s*(\S+)\s*$/gm)].map(([, key = '', value = '']) => [key, value]);
  expect(settings.map(([key]) => key)).toEqual(POLICY);
  expect(Object.fromEntries(settings)).toMatchObject({
    AllowVoicemail: "'AlwaysDisabled'",
    AllowCallForwardingToUser: '$false',
    AllowCallForwardingToPhone: '$false',
    AllowCallGroups: '$false',
    AllowDelegation: '$false',
    BusyOnBusyEnabledType: "'Enabled'",
    InboundPstnCallRoutingTreatment: "'RegularIncoming'",
  });
});

test('a script that is broken is noticed', () => {
  expect(read("Get-CsOnlineUser { 'a' ").unclosed).toBe('{');
  expect(read("Write-Output 'a").unclosed).toBe("'");
  expect(read('Write-Output "a').unclosed).toBe('"');
  expect(read('a ) b').unclosed).toBe(')');
});
