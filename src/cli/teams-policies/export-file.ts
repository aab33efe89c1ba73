/**
 * Reads what Teams PowerShell exports about agents: the one JSON file of `sbc-config/teams/export-policies.ps1`, or the output of
 * a single cmdlet by ConvertTo-Json or Export-Csv. What a record is shows in its fields, so that files may be given in any order.
 */
import { SidekickError } from '../../lib/errors';

/** A record with its fields in lower case; PowerShell is not particular about theirs either. */
export type PolicyRecord = ReadonlyMap<string, unknown>;

export interface PolicyExport {
  /** Get-CsOnlineUser. */
  readonly users: readonly PolicyRecord[];
  /** Get-CsTeamsCallingPolicy. */
  readonly callingPolicies: readonly PolicyRecord[];
  /** Get-CsUserCallingSettings. */
  readonly callingSettings: readonly PolicyRecord[];
}

/** @throws SidekickError SK_USAGE for a file that is none of these */
export function readExport(text: string, file: string): PolicyExport {
  const clean = text.replace(/^\uFEFF/, '').trim();
  const records = /^[[{]/.test(clean) ? jsonRecords(clean, file) : csvRecords(clean);
  const sorted = sort(records);
  if (sorted.users.length + sorted.callingPolicies.length + sorted.callingSettings.length === 0) {
    throw new SidekickError('SK_USAGE', `${file} is no export that is known here`, {
      why: 'it holds no record of Get-CsOnlineUser, Get-CsTeamsCallingPolicy or Get-CsUserCallingSettings',
      next: 'make one with sbc-config/teams/export-policies.ps1',
    });
  }
  return sorted;
}

export function joinExports(exports: readonly PolicyExport[]): PolicyExport {
  return {
    users: exports.flatMap((one) => one.users),
    callingPolicies: exports.flatMap((one) => one.callingPolicies),
    callingSettings: exports.flatMap((one) => one.callingSettings),
  };
}

function sort(records: readonly PolicyRecord[]): PolicyExport {
  const having = (field: string): PolicyRecord[] => records.filter((record) => record.has(field));
  return {
    users: having('userprincipalname'),
    callingPolicies: having('allowvoicemail'),
    callingSettings: having('isforwardingenabled'),
  };
}

function jsonRecords(text: string, file: string): PolicyRecord[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SidekickError('SK_USAGE', `${file} cannot be read`, {
      why: 'it begins like JSON and is none',
      next: 'export it again with ConvertTo-Json -Depth 5',
      cause: error,
    });
  }
  return found(value, 0);
}

/** Records lie at the top, in a list, or in the lists of one object. */
function found(value: unknown, depth: number): PolicyRecord[] {
  if (Array.isArray(value)) {
    return value.flatMap((one) => found(one, depth));
  }
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  const record = new Map(Object.entries(value).map(([key, field]) => [key.toLowerCase(), field as unknown]));
  const known = ['userprincipalname', 'allowvoicemail', 'isforwardingenabled'].some((field) => record.has(field));
  return known || depth > 1 ? [record] : Object.values(value).flatMap((one) => found(one, depth + 1));
}

function csvRecords(text: string): PolicyRecord[] {
  const [head, ...rows] = csvRows(text).filter((row) => !row[0]?.startsWith('#TYPE'));
  return rows.map((row) => new Map((head ?? []).map((name, index) => [name.trim().toLowerCase(), row[index] ?? ''])));
}

/** RFC 4180, with `;` where the first line has it (Export-Csv -UseCulture). */
function csvRows(text: string): string[][] {
  const firstLine = text.split('\n').find((line) => !line.startsWith('#TYPE')) ?? '';
  const comma = firstLine.includes(';') && !firstLine.includes(',') ? ';' : ',';
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? '';
    if (quoted) {
      const escaped = c === '"' && text[i + 1] === '"';
      i += escaped ? 1 : 0;
      quoted = escaped || c !== '"';
      cell += escaped || c !== '"' ? c : '';
    } else if (c === '"') {
      quoted = true;
    } else if (c === comma || c === '\n') {
      row.push(cell.replace(/\r$/, ''));
      cell = '';
      if (c === '\n') {
        rows.push(row);
        row = [];
      }
    } else {
      cell += c;
    }
  }
  rows.push([...row, cell.replace(/\r$/, '')]);
  return rows.filter((cells) => cells.some((text_) => text_ !== ''));
}
