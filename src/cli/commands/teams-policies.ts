import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describeError, SidekickError } from '../../lib/errors';
import { store } from '../../store';
import type { Context, ListOptions } from '../context';
import { withDatabase } from '../database';
import { line } from '../io';
import type { ListView } from '../output/list';
import { outputFormat, printList } from '../output/list';
import { colored } from '../output/show-list';
import { joinExports, readExport } from '../teams-policies/export-file';
import { findProblems } from '../teams-policies/findings';
import type { ConfiguredAgent, Finding } from '../teams-policies/findings';

export interface CheckPoliciesOptions extends ListOptions {
  readonly agents?: boolean;
  readonly ringSeconds: number;
  readonly policy: string;
}

const view: ListView<Finding> = {
  noun: 'findings',
  columns: [
    { title: 'user', text: (f) => f.user },
    { title: 'weight', text: (f) => (f.weight === 'loses' ? 'loses calls' : 'may lose calls') },
    { title: 'what', text: (f) => f.what },
    { title: 'fix', text: (f) => f.fix },
    { title: 'rule', text: (f) => f.rule, wide: true },
  ],
  name: (f) => f.user,
  json: ({ user, weight, rule, what, fix }) => ({ user, weight, rule, what, fix }),
  empty: 'no setting of an agent would keep calls away',
};

/**
 * Reads exports of Teams PowerShell and lists whose settings would swallow calls, with the command that puts it right.
 * @returns 1 if calls would be lost
 * @throws SidekickError SK_USAGE
 */
export async function checkPolicies(
  context: Context,
  files: readonly string[],
  options: CheckPoliciesOptions,
): Promise<number> {
  const data = joinExports(files.map((file) => readExport(contentOf(path.resolve(context.io.cwd, file)), file)));
  if (data.users.length === 0) {
    throw new SidekickError('SK_USAGE', 'there is no user in these files', {
      why: 'what a user may do, and who it is, is in the output of Get-CsOnlineUser',
      next: 'export all three parts with sbc-config/teams/export-policies.ps1',
    });
  }
  const agents = options.agents ? await withDatabase(context, options, teamsAgents) : undefined;
  const { ringSeconds, policy } = options;
  const findings = findProblems(data, { ringSeconds, policy, ...(agents ? { agents } : {}) });
  printList(context.io, view, findings, outputFormat(context.io, options), colored(context));
  for (const [name, part] of [
    ['Get-CsUserCallingSettings', data.callingSettings],
    ['Get-CsTeamsCallingPolicy', data.callingPolicies],
  ] as const) {
    if (part.length === 0) {
      line(context.io.stderr, `note: the files hold nothing of ${name}; that part was not checked`);
    }
  }
  return findings.some(({ weight }) => weight === 'loses') ? 1 : 0;
}

async function teamsAgents(db: Parameters<typeof store.listAgents>[0]): Promise<ConfiguredAgent[]> {
  const agents = await store.listAgents(db);
  return agents.flatMap(({ name, endpoint }) =>
    endpoint?.kind === 'teams' ? [{ name, number: endpoint.number, entraUserId: endpoint.entraUserId }] : [],
  );
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SidekickError('SK_USAGE', `${file} cannot be read`, { why: describeError(error), cause: error });
  }
}
