/** Hang-up causes (ITU-T Q.850 and FreeSWITCH's own) and how they go with SIP status codes (RFC 3398, FreeSWITCH mod_sofia). */

const Q850: Readonly<Record<string, number>> = {
  NONE: 0,
  UNALLOCATED_NUMBER: 1,
  NO_ROUTE_DESTINATION: 3,
  NORMAL_CLEARING: 16,
  USER_BUSY: 17,
  NO_USER_RESPONSE: 18,
  NO_ANSWER: 19,
  SUBSCRIBER_ABSENT: 20,
  CALL_REJECTED: 21,
  DESTINATION_OUT_OF_ORDER: 27,
  INVALID_NUMBER_FORMAT: 28,
  FACILITY_REJECTED: 29,
  NORMAL_UNSPECIFIED: 31,
  NORMAL_CIRCUIT_CONGESTION: 34,
  NETWORK_OUT_OF_ORDER: 38,
  NORMAL_TEMPORARY_FAILURE: 41,
  SWITCH_CONGESTION: 42,
  REQUESTED_CHAN_UNAVAIL: 44,
  BEARERCAPABILITY_NOTAUTH: 57,
  BEARERCAPABILITY_NOTAVAIL: 58,
  SERVICE_UNAVAILABLE: 63,
  INCOMPATIBLE_DESTINATION: 88,
  RECOVERY_ON_TIMER_EXPIRE: 102,
  INTERWORKING: 127,
};

/** FreeSWITCH's own causes: no Q.850 value, shown with protocol SIP in Reason. */
const OWN: Readonly<Record<string, number>> = {
  ORIGINATOR_CANCEL: 487,
  CRASH: 500,
  SYSTEM_SHUTDOWN: 501,
  LOSE_RACE: 502,
  MANAGER_REQUEST: 503,
  BLIND_TRANSFER: 600,
  ATTENDED_TRANSFER: 601,
  ALLOTTED_TIMEOUT: 602,
  USER_CHALLENGE: 603,
  MEDIA_TIMEOUT: 804,
  PICKED_OFF: 605,
};

const BY_STATUS: Readonly<Record<number, string>> = {
  400: 'NORMAL_TEMPORARY_FAILURE',
  401: 'CALL_REJECTED',
  402: 'CALL_REJECTED',
  403: 'CALL_REJECTED',
  404: 'UNALLOCATED_NUMBER',
  405: 'SERVICE_UNAVAILABLE',
  406: 'SERVICE_UNAVAILABLE',
  407: 'CALL_REJECTED',
  408: 'RECOVERY_ON_TIMER_EXPIRE',
  410: 'UNALLOCATED_NUMBER',
  415: 'INCOMPATIBLE_DESTINATION',
  480: 'NO_USER_RESPONSE',
  481: 'NORMAL_TEMPORARY_FAILURE',
  482: 'NORMAL_TEMPORARY_FAILURE',
  483: 'NORMAL_TEMPORARY_FAILURE',
  484: 'INVALID_NUMBER_FORMAT',
  485: 'NO_ROUTE_DESTINATION',
  486: 'USER_BUSY',
  487: 'ORIGINATOR_CANCEL',
  488: 'INCOMPATIBLE_DESTINATION',
  500: 'NORMAL_TEMPORARY_FAILURE',
  502: 'NETWORK_OUT_OF_ORDER',
  503: 'NORMAL_TEMPORARY_FAILURE',
  504: 'RECOVERY_ON_TIMER_EXPIRE',
  600: 'USER_BUSY',
  603: 'CALL_REJECTED',
  604: 'NO_ROUTE_DESTINATION',
  606: 'INCOMPATIBLE_DESTINATION',
};

export function causeOfStatus(status: number): string {
  return BY_STATUS[status] ?? (status < 500 ? 'NORMAL_UNSPECIFIED' : 'NORMAL_TEMPORARY_FAILURE');
}

/** What an unanswered incoming leg is refused with. */
export function statusOfCause(cause: string): number {
  switch (cause) {
    case 'UNALLOCATED_NUMBER':
    case 'NO_ROUTE_DESTINATION':
      return 404;
    case 'USER_BUSY':
      return 486;
    case 'NO_ANSWER':
    case 'NO_USER_RESPONSE':
    case 'NORMAL_CLEARING':
      return 480;
    case 'CALL_REJECTED':
      return 603;
    case 'INCOMPATIBLE_DESTINATION':
      return 488;
    case 'ORIGINATOR_CANCEL':
      return 487;
    case 'RECOVERY_ON_TIMER_EXPIRE':
      return 504;
    default:
      return 503;
  }
}

/** True for every name that may be given to `hangup`, `uuid_kill` and their like. */
export function isCause(name: string): boolean {
  return name in Q850 || name in OWN;
}

export function causeNumber(cause: string): number {
  return Q850[cause] ?? OWN[cause] ?? 16;
}

/** The Reason header (RFC 3326) of a BYE or CANCEL. */
export function reasonOf(cause: string): string {
  const protocol = cause in Q850 ? 'Q.850' : 'SIP';
  return `${protocol};cause=${causeNumber(cause)};text="${cause}"`;
}

/** The cause that a peer's Reason header names, if we know it. */
export function causeOfReason(reason: string | undefined): string | undefined {
  const named = /text="([A-Z_]+)"/.exec(reason ?? '')?.[1];
  if (named !== undefined && isCause(named)) {
    return named;
  }
  const number = /^Q\.850\s*;\s*cause=(\d+)/i.exec(reason ?? '')?.[1];
  return number === undefined ? undefined : Object.keys(Q850).find((name) => Q850[name] === Number(number));
}
