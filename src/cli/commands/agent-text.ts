/** How agents are shown. */
import type { AgentRow } from '../../store';
import { shortDuration } from '../output/list';

export function presenceName(presence: AgentRow['presence']): string {
  return typeof presence === 'string' ? presence : presence.availability;
}

export function presenceText(presence: AgentRow['presence'], now: number): string {
  if (typeof presence === 'string') {
    return presence === 'none' ? '-' : presence;
  }
  const activity = presence.activity === presence.availability ? '' : `, ${presence.activity}`;
  return `${presence.availability}${activity} (${shortDuration(now - presence.readAt)} old)`;
}

export function endpointText(endpoint: AgentRow['endpoint']): string {
  switch (endpoint?.kind) {
    case undefined: {
      return 'none';
    }
    case 'teams': {
      return `teams ${endpoint.number}`;
    }
    case 'pbx': {
      return `pbx ${endpoint.trunk}/${endpoint.user}`;
    }
    case 'web': {
      return 'web';
    }
  }
}

export function shownState(state: string, reason: string | undefined, forcedBy?: string): string {
  const by = forcedBy === undefined ? '' : ` by ${forcedBy}`;
  return reason === undefined || reason === state ? `${state}${by}` : `${state} (${reason}${by})`;
}
