/** The part of sdp-transform 2.15 that is used here; the package carries no types. */
declare module 'sdp-transform' {
  export interface SdpConnection {
    version: number;
    ip: string;
  }
  export interface SdpMedia {
    type: string;
    port: number;
    protocol: string;
    payloads?: string | number;
    connection?: SdpConnection;
    rtp: { payload: number; codec: string; rate?: number; encoding?: number | string }[];
    fmtp: { payload: number; config: string }[];
    crypto?: { id: number; suite: string; config: string; sessionConfig?: string }[];
    ptime?: number;
    maxptime?: number;
    direction?: string;
    mid?: string | number;
    rtcpMux?: string;
    fingerprint?: { type: string; hash: string };
    setup?: string;
  }
  export interface SdpSession {
    version?: number;
    origin?: {
      username: string | number;
      sessionId: string | number;
      sessionVersion: number;
      netType: string;
      ipVer: number;
      address: string;
    };
    name?: string | number;
    connection?: SdpConnection;
    timing?: { start: number; stop: number };
    direction?: string;
    crypto?: SdpMedia['crypto'];
    media: SdpMedia[];
  }
  export function parse(sdp: string): SdpSession;
  export function write(session: SdpSession): string;
}
