/**
 * Where Microsoft Graph and its token service live in each cloud, and what they offer there. Sources: Microsoft's page on
 * national cloud deployments; for presence the pages of getPresencesByUserId (US Government L4 and L5: yes, China: no) and of
 * presence change notifications (global service only).
 */
export interface GraphCloud {
  readonly baseUrl: string;
  readonly authority: string;
  /** Whether presence can be read and written at all. */
  readonly presence: boolean;
  /** Whether Graph can tell of changes by itself. */
  readonly notifications: boolean;
}

const GLOBAL: GraphCloud = {
  baseUrl: 'https://graph.microsoft.com',
  authority: 'https://login.microsoftonline.com',
  presence: true,
  notifications: true,
};

export const GRAPH_CLOUDS = {
  global: GLOBAL,
  /** GCC runs on the global service. */
  gcc: GLOBAL,
  'gcc-high': {
    baseUrl: 'https://graph.microsoft.us',
    authority: 'https://login.microsoftonline.us',
    presence: true,
    notifications: false,
  },
  dod: {
    baseUrl: 'https://dod-graph.microsoft.us',
    authority: 'https://login.microsoftonline.us',
    presence: true,
    notifications: false,
  },
  china: {
    baseUrl: 'https://microsoftgraph.chinacloudapi.cn',
    authority: 'https://login.chinacloudapi.cn',
    presence: false,
    notifications: false,
  },
} as const satisfies Record<string, GraphCloud>;

export type GraphCloudName = keyof typeof GRAPH_CLOUDS;

export function isGraphCloud(text: string): text is GraphCloudName {
  return Object.hasOwn(GRAPH_CLOUDS, text);
}
