/** What others use of the embedded SIP server. */
export { startSipServer, type EmbeddedSipServer, type SipServerOptions } from './sip-server';
