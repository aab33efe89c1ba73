import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { allFiles, readText, repo } from './read-config';

const text = readFileSync(path.join(repo, 'docker-compose.yml'), 'utf8');
const compose = parse(text);
const services = compose.services;

test('the four services are there, restart by themselves and say when they are well', () => {
  expect(Object.keys(services)).toEqual(['postgres', 'drachtio', 'freeswitch', 'sidekick']);
  for (const service of Object.values<{ restart?: string; healthcheck?: { test: unknown } }>(services)) {
    expect(service.restart).toBe('unless-stopped');
    expect(service.healthcheck?.test).toBeDefined();
  }
  expect(services.postgres.image).toMatch(/^postgres:18/);
  expect(services.sidekick.depends_on).toEqual({
    postgres: { condition: 'service_healthy' },
    drachtio: { condition: 'service_healthy' },
    freeswitch: { condition: 'service_healthy' },
  });
});

test('SIP and RTP are on the host’s network; Postgres is published to this machine only', () => {
  for (const name of ['drachtio', 'freeswitch', 'sidekick']) {
    expect(services[name].network_mode).toBe('host');
    expect(services[name].ports).toBeUndefined();
  }
  for (const port of services.postgres.ports) {
    expect(port).toMatch(/^127\.0\.0\.1:/);
  }
});

test('every secret is demanded, none has a default', () => {
  const secret = /PASSWORD|SECRET|TOKEN/;
  const uses = [...text.matchAll(/(?<!\$)\$\{(SIDEKICK_[A-Z_]+)([^}]*)\}/g)].map((m) => ({ name: m[1]!, rest: m[2]! }));
  expect(uses.filter((u) => secret.test(u.name)).length).toBeGreaterThan(6);
  for (const { name, rest } of uses) {
    if (secret.test(name)) {
      expect(`${name}${rest}`).toMatch(/:\?set /);
    } else {
      expect(`${name}${rest}`).toMatch(/:[-?]/);
    }
  }
});

test('each start script gets what it demands, and so does the node', () => {
  for (const name of ['drachtio', 'freeswitch']) {
    const demanded = [...readText(`bin/start-${name}.sh`).matchAll(/^need (SIDEKICK_[A-Z_]+)/gm)].map((m) => m[1]!);
    expect(demanded.length).toBeGreaterThan(1);
    expect(Object.keys(services[name].environment)).toEqual(expect.arrayContaining(demanded));
  }
  expect(Object.keys(services.sidekick.environment)).toEqual(
    expect.arrayContaining([
      'SIDEKICK_DATABASE_URL',
      'SIDEKICK_DRACHTIO',
      'SIDEKICK_FREESWITCH',
      'SIDEKICK_HTTP',
      'SIDEKICK_ADMIN_TOKEN',
    ]),
  );
  expect(services.sidekick.environment.SIDEKICK_DRACHTIO).toMatch(/^127\.0\.0\.1:.+:\$\{SIDEKICK_DRACHTIO_SECRET/);
  expect(services.sidekick.environment.SIDEKICK_FREESWITCH).toMatch(/^127\.0\.0\.1:.+:\$\{SIDEKICK_FREESWITCH_SECRET/);
});

test('the node’s image is built from this checkout, runs without rights and copies only what exists', () => {
  const file: string = services.sidekick.build.dockerfile_inline;
  expect(file).toMatch(/^FROM node:24/);
  expect(file).toContain('RUN npm ci');
  expect(file).toContain('npm run build');
  expect(file.indexOf('USER node')).toBeLessThan(file.indexOf('CMD '));
  expect(file).toContain('migrate up && exec node dist/src/main.js serve');
  for (const line of file.split('\n').filter((l) => l.startsWith('COPY '))) {
    for (const source of line.split(' ').slice(1, -1)) {
      expect(existsSync(path.join(repo, source))).toBe(true);
    }
  }
});

test('mounted paths exist and configuration is mounted read-only', () => {
  for (const name of ['drachtio', 'freeswitch']) {
    expect(services[name].volumes).toContain('./sbc-config:/etc/sidekick:ro');
    expect(services[name].entrypoint[1]).toBe(`/etc/sidekick/bin/start-${name}.sh`);
  }
  const named = Object.values<{ volumes?: string[] }>(services)
    .flatMap((s) => s.volumes ?? [])
    .map((v) => v.split(':')[0]!)
    .filter((v) => /^[a-z]/.test(v));
  expect(Object.keys(compose.volumes)).toEqual(expect.arrayContaining(named));
  // The node reads and deletes the messages of callers where FreeSWITCH records them.
  const recordings = `recordings:${services.freeswitch.environment.SIDEKICK_RECORDINGS_DIR}`;
  expect(services.freeswitch.volumes).toContain(recordings);
  expect(services.sidekick.volumes).toContain(recordings);
});

test('no registry host and no private key is in these files', () => {
  for (const image of Object.values<{ image: string }>(services).map((s) => s.image)) {
    expect(image.replace(/^\$\{[A-Z_]+:-/, '').split('/')[0]).not.toContain('.');
  }
  for (const file of allFiles()) {
    if (!file.endsWith('.pem')) {
      expect(readText(file)).not.toMatch(/-----BEGIN/);
    }
  }
});
