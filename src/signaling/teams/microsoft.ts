/** What Microsoft publishes for Direct Routing per cloud. Tenants of GCC use the commercial cloud. */
export const TEAMS_CLOUDS = ['commercial', 'gcc-high', 'dod'] as const;
export type TeamsCloud = (typeof TEAMS_CLOUDS)[number];

interface CloudFacts {
  /** Proxies in order of preference. GCC High and DoD have one name only. */
  readonly proxies: readonly string[];
  /** Where Teams signals from. All of it must be let in: Teams calls from addresses that its names never show. */
  readonly sources: readonly string[];
  /** SHA-1 thumbprints of the roots that Teams' certificates chain to. */
  readonly roots: readonly string[];
}

/** The seven roots of the rotation of 2026, by name. */
const ROOTS_2026 = {
  'DigiCert Global Root CA': 'A8985D3A65E5E5C4B2D7D66D40C6DD2FB19C5436',
  'DigiCert Global Root G2': 'DF3C24F9BFD666761B268073FE06D1CC8D4F82A4',
  'DigiCert Global Root G3': '7E04DE896A3E666D00E687D33FFAD93BE83D349E',
  'DigiCert TLS ECC P384 Root G5': '17F3DE5E9F0F19E98EF61F32266E20C407AE30EE',
  'DigiCert TLS RSA4096 Root G5': 'A78849DC5D7C758C8CDE399856B3AAD0B2A57135',
  'Microsoft ECC Root Certificate Authority 2017': '999A64C37FF47D9FAB95F14769891460EEC4C3C5',
  'Microsoft RSA Root Certificate Authority 2017': '73A5E64A3BFF8316FF0EDCCC618A906E4EAE4D74',
} as const;

export const TEAMS_ROOTS: Readonly<Record<string, string>> = ROOTS_2026;

export const MICROSOFT: Readonly<Record<TeamsCloud, CloudFacts>> = {
  commercial: {
    proxies: ['sip.pstnhub.microsoft.com', 'sip2.pstnhub.microsoft.com', 'sip3.pstnhub.microsoft.com'],
    sources: ['52.112.0.0/14', '52.122.0.0/15'],
    roots: Object.values(ROOTS_2026),
  },
  'gcc-high': {
    proxies: ['sip.pstnhub.gov.teams.microsoft.us'],
    sources: ['52.127.88.0/21'],
    roots: Object.values(ROOTS_2026),
  },
  dod: {
    proxies: ['sip.pstnhub.dod.teams.microsoft.us'],
    sources: ['52.127.64.0/21'],
    roots: Object.values(ROOTS_2026),
  },
};

export const TEAMS_TLS_PORT = 5061;
