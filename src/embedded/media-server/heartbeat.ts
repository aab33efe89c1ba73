/** HEARTBEAT every 20 seconds, from which fsmrf takes load and limits (wire reference 5.6). */
import { loadavg, cpus } from 'node:os';
import { uptime } from './api/server-commands';
import { VERSION } from './switchboard';
import type { Switchboard } from './switchboard';

export function startHeartbeat(board: Switchboard): () => void {
  const timer = setInterval(() => {
    board.hub.publish('HEARTBEAT', () => heartbeatHeaders(board));
  }, board.timers.heartbeatMs);
  return () => {
    clearInterval(timer);
  };
}

function heartbeatHeaders(board: Switchboard): Record<string, string> {
  const { startedAt, sessionsSinceStart, peak } = board.api.figures();
  const load = (loadavg()[0] ?? 0) / Math.max(1, cpus().length);
  return {
    'Event-Info': 'System Ready',
    'Up-Time': `${uptime(startedAt)}, 0 milliseconds, 0 microseconds`,
    'FreeSWITCH-Version': VERSION,
    'Uptime-msec': String(Date.now() - startedAt),
    'Session-Count': String(board.channels.size),
    'Max-Sessions': String(board.switches.maxSessions),
    'Session-Per-Sec': String(board.switches.sessionsPerSecond),
    'Session-Per-Sec-Last': '0',
    'Session-Per-Sec-Max': String(peak),
    'Session-Per-Sec-FiveMin': '0',
    'Session-Since-Startup': String(sessionsSinceStart),
    'Session-Peak-Max': String(peak),
    'Session-Peak-FiveMin': String(peak),
    'Idle-CPU': (100 * Math.max(0, 1 - load)).toFixed(6),
  };
}
