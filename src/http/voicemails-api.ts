/** Messages that callers left: what supervisors list, hear, tick off and delete. */
import type { FastifyPluginCallback } from 'fastify';
import { SidekickError } from '../lib/errors';
import { shortNumber } from '../lib/log';
import { actingAs } from '../store/acting-as';
import { voicemailView } from '../store/voicemail-view';
import { VOICEMAIL_STATES } from '../store/voicemail-types';
import type { VoicemailRow, VoicemailState } from '../store/voicemail-types';
import { answer, limitOf, MAX_LIMIT, notFound, textIn, usage } from './api-parts';
import type { Query } from './api-parts';
import type { Center, CenterApiOptions } from './center-api';
import { covers } from './identity';
import type { Identity } from './identity';
import type { SoundReader } from './ports';

export interface VoicemailsApiOptions extends CenterApiOptions {
  /** Undefined: this node reads no recordings. */
  readonly sounds: SoundReader | undefined;
}

const VIEWER = { config: { needs: 'viewer' } } as const;
const SUPERVISOR = { config: { needs: 'supervisor' } } as const;

interface ById {
  readonly Params: { readonly id: string };
}

export const voicemailsApi: FastifyPluginCallback<VoicemailsApiOptions> = (app, { guard, sounds, ...center }, done) => {
  const { db, store } = center;
  app.get<{ Querystring: Query }>('/api/v1/voicemails', VIEWER, async (request, reply) => {
    const who = guard.who(request);
    const { tenant, queue, state, limit } = request.query;
    const rows = await store.listVoicemails(db, {
      limit: who.everywhere ? limitOf(limit) : MAX_LIMIT,
      ...(tenant === undefined ? {} : { tenant }),
      ...(queue === undefined ? {} : { queue }),
      ...(state === undefined ? {} : { states: [stateOf(state)] }),
    });
    const seen = rows.filter((row) => covers(who, row.tenant, row.queue)).slice(0, limitOf(limit));
    return answer(reply, { voicemails: seen.map((row) => shown(who, row)) });
  });
  app.get<ById>('/api/v1/voicemails/:id', VIEWER, async (request, reply) => {
    const who = guard.who(request);
    return answer(reply, { voicemail: shown(who, await voicemailFor(who, center, request.params.id)) });
  });
  app.get<ById>('/api/v1/voicemails/:id/audio', SUPERVISOR, async (request, reply) => {
    const { mediaServer, file } = await voicemailFor(guard.who(request), center, request.params.id);
    const recording = await sounds?.open(mediaServer, file);
    if (!recording) {
      throw new SidekickError('SK_NOT_FOUND', 'this node does not have the file of the message', {
        why: `it is ${file} in the recordings of the media server ${mediaServer}`,
        next: 'ask a node that sees that folder, or give this one the folder with SIDEKICK_RECORDINGS_DIR',
      });
    }
    return reply
      .header('cache-control', 'no-store')
      .header('content-type', 'audio/wav')
      .header('content-length', recording.bytes)
      .header('content-disposition', `attachment; filename="${file}"`)
      .send(recording.file.createReadStream({ start: 0, end: Math.max(0, recording.bytes - 1) }));
  });
  app.post<ById>('/api/v1/voicemails/:id/state', SUPERVISOR, async (request, reply) => {
    const who = guard.who(request);
    const { id } = await voicemailFor(who, center, request.params.id);
    const state = stateOf(textIn(request.body, 'state'));
    const changed = await actingAs(db, who.by, (tx) => store.setVoicemailState(tx, id, state, who.by));
    return answer(reply, { changed, voicemail: shown(who, await voicemailFor(who, center, id)) });
  });
  app.post<ById>('/api/v1/voicemails/:id/delete', SUPERVISOR, async (request, reply) => {
    const who = guard.who(request);
    const { id } = await voicemailFor(who, center, request.params.id);
    const deleted = await actingAs(db, who.by, (tx) => store.removeVoicemail(tx, id, who.by));
    return answer(reply, { deleted });
  });
  done();
};

function stateOf(text: string | undefined): VoicemailState {
  const state = VOICEMAIL_STATES.find((one) => one === text);
  if (state === undefined) {
    throw usage(`state is ${VOICEMAIL_STATES.join(', ')}`);
  }
  return state;
}

/** A viewer sees that somebody left a message, not who. */
function shown({ role }: Identity, row: VoicemailRow): Record<string, unknown> {
  return role === 'viewer'
    ? { ...voicemailView(row), callerNumber: shortNumber(row.callerNumber), callerName: null }
    : voicemailView(row);
}

/** @throws SidekickError SK_NOT_FOUND */
async function voicemailFor(who: Identity, { db, store }: Center, id: string): Promise<VoicemailRow> {
  const found = await store.findVoicemail(db, id);
  if (found === undefined || !covers(who, found.tenant, found.queue)) {
    throw notFound('message');
  }
  return found;
}
