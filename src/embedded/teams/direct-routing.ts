import type { Clock } from '../../lib/clock';
import { describeError } from '../../lib/errors';
import type { Log } from '../../lib/log';
import { PhoneMedia } from '../phone/phone-media';
import { SipMessage } from '../sip/message';
import { SipStack } from '../sip/stack';
import type { IncomingSession, ServerTransaction, SipTimers, TlsIdentity } from '../sip/types';
import { parseNameAddr, parseUri } from '../sip/uri';
import { UserAgent } from '../sip/user-agent';
import { AgentCall, type AgentCallDeps } from './agent-call';
import { CallRecord, type CallBook } from './call-book';
import type { CallAction, TrunkView } from './control-routes';
import { delayOf, type ProxyMood } from './misbehaviour';
import { withOwnConnections, type Resolver } from './own-connections';
import { reasonHeader } from './reason';
import { RULES, type Broken, type RuleName, type Verdict } from './rules';
import { DEFAULT_SCRIPT, type AgentScript, agentScriptSchema } from './scripts';
import { MIN_SESSION_EXPIRES, calledNumber, judgeInvite, judgeOptions, uriOf } from './sip-rules';
import { TransferBook } from './transfer-book';
import { TrunkMonitor } from './trunk-monitor';
import type { Directory, TeamsUser } from './users';

export interface DirectRoutingOptions {
  readonly host: string;
  readonly sipPort: number;
  /** Server identity; its certificate names the three proxies. It is also shown on connections to the trunk. */
  readonly tls: Pick<TlsIdentity, 'key' | 'cert'>;
  /** PEM of the authority that a trunk's certificate must chain to. */
  readonly sbcCa: string;
  /** Domains of the tenant. */
  readonly domains: readonly string[];
  readonly tenantId: string;
  /** Tones that agents listen for. */
  readonly listenFor: readonly number[];
  /** Where trunk names lead; a name that is not here leads to the address the trunk was seen at. */
  readonly resolve?: Resolver;
  /** How often the proxy sends its own OPTIONS. Default 60,000 ms. */
  readonly optionsPeriodMs?: number;
  /** SIP timers, for tests. */
  readonly timers?: Partial<SipTimers>;
}

export interface DirectRoutingDeps {
  readonly clock: Clock;
  readonly directory: Directory;
  readonly book: CallBook;
  readonly mood: ProxyMood;
  readonly log: Log;
  readonly countCall: (userId: string, change: 1 | -1) => void;
  readonly changed: AgentCallDeps['changed'];
}

const ALLOW = ['INVITE', 'ACK', 'OPTIONS', 'CANCEL', 'BYE', 'NOTIFY', 'REFER', 'PRACK', 'UPDATE'];
/** Address of the other machine. All of 127.0.0.0/8 is this host. */
const ELSEWHERE = '127.0.0.2';
const SERVER = 'Microsoft.PSTNHub.SIPProxy simulated';

/** The simulated Direct Routing proxy: judges what the trunk sends and puts calls through to simulated agents. */
export class DirectRouting {
  readonly #options: DirectRoutingOptions;
  readonly #deps: DirectRoutingDeps;
  readonly #stack: SipStack;
  readonly #ua: UserAgent;
  readonly #monitor: TrunkMonitor;
  readonly #transfers: TransferBook;
  readonly #calls = new Map<string, AgentCall>();
  /** Media sockets being opened for calls that have just come. */
  readonly #opening = new Set<Promise<void>>();
  #closed = false;
  /** Another machine of Teams, with an address of its own, for requests that come from there. */
  #elsewhere: SipStack | undefined;

  private constructor(stack: SipStack, options: DirectRoutingOptions, deps: DirectRoutingDeps) {
    this.#stack = stack;
    this.#options = options;
    this.#deps = deps;
    this.#transfers = new TransferBook(options.tenantId);
    const view = withOwnConnections(
      stack,
      () => options.resolve ?? {},
      (transaction) => this.#judge(transaction),
      {
        elsewhere: () => (deps.mood.elsewhere ? this.#elsewhere : undefined),
        slowMs: ({ toTag, uri }) =>
          toTag === undefined
            ? delayOf(deps.mood, parseUri(uri)?.host.toLowerCase() ?? '', deps.clock.now())
            : deps.mood.slowMs,
        loseAcks: () => deps.mood.loseAcks,
      },
    );
    this.#ua = new UserAgent(view, {
      userAgent: SERVER,
      allow: ALLOW,
      get minSessionExpires() {
        return deps.mood.sessionSeconds ?? MIN_SESSION_EXPIRES;
      },
    });
    this.#ua.onInvite((session) => {
      this.#invited(session);
    });
    this.#monitor = new TrunkMonitor(this.#ua, deps.clock, options.optionsPeriodMs ?? 60_000);
  }

  /** @throws SidekickError SK_PORT_TAKEN */
  static async start(options: DirectRoutingOptions, deps: DirectRoutingDeps): Promise<DirectRouting> {
    // Microsoft documents TLS 1.2 and its four suites, and no newer version.
    const identity = { ...options.tls, ca: options.sbcCa, maxVersion: 'TLSv1.2' } as const;
    const stack = await SipStack.start({
      listen: [
        {
          protocol: 'tls',
          host: options.host,
          port: options.sipPort,
          tls: { ...identity, requireClientCertificate: true },
        },
      ],
      tlsClient: identity,
      ...(options.timers === undefined ? {} : { timers: options.timers }),
      onHandlerError: (error) => {
        deps.log.error({ event: 'teams:handler-failed', err: error }, 'simulated Teams proxy failed at a request');
      },
    });

    const routing = new DirectRouting(stack, options, deps);
    routing.#elsewhere = await SipStack.start({
      listen: [{ protocol: 'tls', host: ELSEWHERE, port: 0, tls: { ...identity, requireClientCertificate: true } }],
      tlsClient: identity,
      ...(options.timers === undefined ? {} : { timers: options.timers }),
    });

    return routing;
  }

  get port(): number {
    return this.#stack.listening[0]?.port ?? 0;
  }

  /** Calls that are in progress, for leak checks. */
  get live(): number {
    return this.#calls.size + this.#opening.size;
  }

  trunks(): TrunkView[] {
    return this.#monitor.views();
  }

  callOf(id: string): AgentCall | undefined {
    return [...this.#calls.values()].find((call) => call.record.id === id);
  }

  act(id: string, action: CallAction): Promise<void> | undefined {
    return this.callOf(id)?.act(action);
  }

  /** Ends every call without a word and closes all sockets. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    this.#monitor.close();
    await Promise.all(this.#opening);
    for (const call of [...this.#calls.values()]) {
      call.close();
    }
    this.#ua.close();
    await Promise.all([this.#stack.close(), this.#elsewhere?.close()]);
  }

  /** Sees each request before the user agent. Undefined: it has been dealt with, or is left without an answer. */
  #judge(transaction: ServerTransaction): ServerTransaction | undefined {
    const { request } = transaction;
    const { mood } = this.#deps;
    const proxy = parseUri(request.uri)?.host.toLowerCase() ?? '';
    if (holds(mood.silent, proxy)) {
      return undefined;
    }
    const begins = request.toTag === undefined;
    if (
      mood.busy &&
      holds(mood.busy.proxies, proxy) &&
      begins &&
      (request.method === 'INVITE' || request.method === 'OPTIONS')
    ) {
      const response = SipMessage.response(503).set('Retry-After', mood.busy.retryAfterSeconds);
      transaction.respond(response.set('Reason', reasonHeader(41, 'The data centre is busy')));

      return undefined;
    }
    if (begins && request.method === 'OPTIONS') {
      this.#answerOptions(transaction);

      return undefined;
    }
    if (begins && request.method === 'INVITE') {
      return this.#judgeInvite(transaction);
    }

    return transaction;
  }

  #judgeInvite(transaction: ServerTransaction): ServerTransaction | undefined {
    const { request } = transaction;
    const transfer = this.#transfers.of(request);
    const verdict = judgeInvite(request, { ...this.#context(transaction), referred: transfer !== undefined });
    const user = transfer?.target ?? this.#userOf(request);
    const refused = verdict.refused ?? transfer?.refused ?? this.#judgeUser(request, user);
    const record = this.#newRecord(request, user, transaction.peerNames ?? []);
    this.#noteAll({ refused, recorded: verdict.recorded }, request, record);
    if (refused) {
      record.status = RULES[refused.rule].status;
      record.end('teams', this.#deps.clock.now(), RULES[refused.rule].text);
      this.#deps.changed(record, 'ended');
      this.#respondRefusal(transaction, refused);

      return undefined;
    }
    this.#pending.set(request, record);
    if (user) {
      this.#called.set(request, user);
    }

    return {
      request,
      source: transaction.source,
      receivedOn: transaction.receivedOn,
      ...(transaction.peerNames === undefined ? {} : { peerNames: transaction.peerNames }),
      respond: (response) => transaction.respond(response),
      onDone: (handler) => transaction.onDone(handler),
      onCancel: (handler) => {
        transaction.onCancel((cancel) => {
          const call = this.#calls.get(request.callId);
          if (call?.answersOnCancel() === true) {
            call.answerNow();
          } else {
            handler(cancel);
          }
        });
      },
    };
  }

  /** Records of INVITEs that were found in order, until the user agent hands out their session. */
  readonly #pending = new WeakMap<SipMessage, CallRecord>();
  readonly #called = new WeakMap<SipMessage, TeamsUser>();

  #invited(session: IncomingSession): void {
    const record = this.#pending.get(session.invite);
    const user = this.#called.get(session.invite);
    if (!record || !user) {
      session.reject(500);

      return;
    }
    const opening = this.#open(session, record, user)
      .catch((error: unknown) => {
        this.#deps.log.error({ event: 'teams:call-failed', err: error }, 'a simulated agent could not be called');
        record.status = 500;
        record.end('teams', this.#deps.clock.now(), describeError(error));
        session.reject(500);
      })
      .finally(() => {
        this.#opening.delete(opening);
      });
    this.#opening.add(opening);
  }

  async #open(session: IncomingSession, record: CallRecord, user: TeamsUser): Promise<void> {
    const heard = { call: undefined as AgentCall | undefined };
    const media = await PhoneMedia.open({
      host: this.#options.host,
      srtp: true,
      followTarget: false,
      listenFor: this.#options.listenFor,
      onTone: () => heard.call?.heard(),
    });
    if (session.state === 'ended' || this.#closed) {
      media.close();
      record.status = 487;
      record.end('sbc', this.#deps.clock.now());

      return;
    }
    const call = new AgentCall(
      { record, session, user, script: scriptFor(session.invite, user), media },
      {
        ...this.#deps,
        transfers: this.#transfers,
        userOf: (text) => this.#deps.directory.byName(text) ?? this.#deps.directory.byNumber(text),
        forward: (invite, to, forwarder) => this.#forward(invite, to, forwarder),
        note: (broken, method, of) => this.#note(broken, method, session.callId, of),
        countCall: (change) => this.#deps.countCall(user.entraUserId, change),
        changed: (of, what) => {
          if (what === 'ended') {
            this.#calls.delete(session.callId);
          }
          this.#deps.changed(of, what);
        },
      },
    );
    heard.call = call;
    this.#calls.set(session.callId, call);
  }

  /** A call forwarded to a number leaves the tenant as a new INVITE on the trunk it came from (1.9). */
  async #forward(invite: SipMessage, to: string, user: TeamsUser): Promise<number> {
    const contact = uriOf(invite.list('contact')[0]);
    const source = this.#monitor.targetOf(contact?.host ?? '');
    if (!contact || !source) {
      return 503;
    }
    const uri = `sip:${to}@${contact.host}:${source.port};user=phone;transport=tls;cause=302`;
    const media = await PhoneMedia.open({ host: this.#options.host, srtp: true, followTarget: false, listenFor: [] });
    try {
      const call = this.#ua.invite(uri, {
        target: source,
        from: `<${uriOf(invite.get('from'))?.user ?? 'anonymous'}>`.replace(
          /^<(.*)>$/,
          '<sip:$1@sip.pstnhub.microsoft.com;user=phone>',
        ),
        to: `<${uri}>`,
        sdp: media.offer(),
        headers: {
          'History-Info': `<sip:${user.number}@sip.pstnhub.microsoft.com;user=phone?Reason=SIP%3Bcause%3D302>;index=1,<${uri}>;index=1.1`,
        },
      });
      const response = await call.answered.catch((error: unknown) => error);
      void call.bye();

      return response instanceof SipMessage ? response.status : ((response as { status?: number }).status ?? 500);
    } finally {
      media.close();
    }
  }

  #judgeUser(request: SipMessage, user: TeamsUser | undefined): Broken | undefined {
    if (!user) {
      return { rule: 'number-unknown', offending: request.uri };
    }

    return user.voiceEnabled ? undefined : { rule: 'voice-disabled', offending: request.uri };
  }

  #answerOptions(transaction: ServerTransaction): void {
    const { request } = transaction;
    const verdict = judgeOptions(request, this.#context(transaction));
    this.#noteAll(verdict, request);
    if (verdict.refused) {
      this.#respondRefusal(transaction, verdict.refused);

      return;
    }
    transaction.respond(SipMessage.response(200).set('Allow', ALLOW.join(',')).set('Server', SERVER));
    this.#monitor.seen(request, transaction.source);
  }

  #respondRefusal(transaction: ServerTransaction, { rule }: Broken): void {
    const { status, cause, text } = RULES[rule];
    const subcode = subcodeOf(rule);
    const phrase = subcode === undefined ? text : `${subcode} ${text}`;
    const response = SipMessage.response(status).set('Reason', reasonHeader(cause, phrase)).set('Server', SERVER);
    if (status === 422) {
      response.set('Min-SE', MIN_SESSION_EXPIRES);
    }
    if (rule === 'extension-unsupported') {
      const known = ['100rel', 'timer'];
      const unknown = transaction.request.list('require').filter((token) => !known.includes(token.toLowerCase()));
      response.set('Unsupported', unknown.join(', '));
    }
    transaction.respond(response);
  }

  #context(transaction: ServerTransaction): { peerNames: readonly string[]; domains: readonly string[] } {
    return { peerNames: transaction.peerNames ?? [], domains: this.#options.domains };
  }

  #userOf(invite: SipMessage): TeamsUser | undefined {
    const uri = parseUri(invite.uri);

    return uri === undefined ? undefined : this.#deps.directory.byNumber(calledNumber(uri));
  }

  #newRecord(invite: SipMessage, user: TeamsUser | undefined, certificateNames: readonly string[]): CallRecord {
    const uri = parseUri(invite.uri);
    const from = uriOf(invite.get('from'));
    const record = new CallRecord({
      sipCallId: invite.callId,
      from: from?.user ?? 'anonymous',
      fromName: parseNameAddr(invite.get('from') ?? '')?.name ?? null,
      to: uri === undefined ? invite.uri : calledNumber(uri),
      agent: user?.name ?? null,
      certificateNames,
      startedAt: this.#deps.clock.now(),
    });
    this.#deps.book.add(record);

    return record;
  }

  #noteAll(verdict: Verdict, request: SipMessage, record?: CallRecord): void {
    for (const broken of [...(verdict.refused ? [verdict.refused] : []), ...verdict.recorded]) {
      this.#note(broken, request.method, request.callId, record);
    }
  }

  #note(broken: Broken, method: string, sipCallId: string, record?: CallRecord): void {
    this.#deps.book.note(broken, { method, sipCallId, at: this.#deps.clock.now() }, record);
    const { section, text, status } = RULES[broken.rule];
    this.#deps.log.warn({ event: 'teams:rule-broken', rule: broken.rule, section, status }, text);
  }
}

/** `opaque=app:voicemail` in the Request-URI goes to the mailbox without ringing (1.5). */
function scriptFor(invite: SipMessage, user: TeamsUser): AgentScript {
  const opaque = parseUri(invite.uri)?.params.get('opaque');

  return opaque?.toLowerCase() === 'app:voicemail' ? MAILBOX : (user.script ?? DEFAULT_SCRIPT);
}

/** True if a mood concerns this proxy; an empty set concerns all of them, undefined none. */
function holds(proxies: ReadonlySet<string> | undefined, proxy: string): boolean {
  return proxies !== undefined && (proxies.size === 0 || proxies.has(proxy));
}

const MAILBOX: AgentScript = agentScriptSchema.parse({ kind: 'voicemail', afterMs: 0 });

function subcodeOf(rule: RuleName): number | undefined {
  const found = RULES[rule];

  return 'subcode' in found ? found.subcode : undefined;
}
