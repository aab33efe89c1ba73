/** Cuts the client's side of an event socket connection into commands (wire reference 5.1). */

export interface EslCommand {
  /** First line: `api status`, `sendmsg <uuid>`, `auth secret`… */
  readonly line: string;
  /** Header names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

const MAX_HEAD_BYTES = 65_536;
const MAX_BODY_BYTES = 1_048_576;

/** What a client sent cannot be a command: the connection has to be closed. */
export class EslFramingError extends Error {
  constructor(what: string) {
    super(`event socket: ${what}`);
    this.name = 'EslFramingError';
  }
}

/** Feed it bytes as they come, take whole commands out. Throws EslFramingError when the peer sends more than any client would. */
export class EslCommandReader {
  #buffer: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): EslCommand[] {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    const commands: EslCommand[] = [];
    for (;;) {
      const command = this.#take();
      if (command === undefined) {
        return commands;
      }
      commands.push(command);
    }
  }

  #take(): EslCommand | undefined {
    this.#skipBlankLines();
    const [end, next] = endOfHead(this.#buffer);
    if (end < 0) {
      if (this.#buffer.length > MAX_HEAD_BYTES) {
        throw new EslFramingError(`no end of command within ${MAX_HEAD_BYTES} bytes`);
      }
      return undefined;
    }
    const [line = '', ...rest] = this.#buffer.toString('utf8', 0, end).split(/\r?\n/);
    const headers = new Map<string, string>();
    for (const header of rest) {
      const colon = header.indexOf(':');
      if (colon > 0) {
        headers.set(header.slice(0, colon).trim().toLowerCase(), header.slice(colon + 1).trim());
      }
    }
    const length = contentLength(headers.get('content-length'));
    if (this.#buffer.length < next + length) {
      return undefined;
    }
    const body = this.#buffer.toString('utf8', next, next + length);
    this.#buffer = this.#buffer.subarray(next + length);
    return { line: line.trim(), headers, body };
  }

  #skipBlankLines(): void {
    let start = 0;
    while (start < this.#buffer.length && (this.#buffer[start] === 10 || this.#buffer[start] === 13)) {
      start++;
    }
    this.#buffer = this.#buffer.subarray(start);
  }
}

/** Where the head ends and what follows it begins; −1 if it is not complete. */
function endOfHead(buffer: Buffer): [number, number] {
  for (let i = buffer.indexOf(10); i >= 0; i = buffer.indexOf(10, i + 1)) {
    if (buffer[i + 1] === 10) {
      return [i, i + 2];
    }
    if (buffer[i + 1] === 13 && buffer[i + 2] === 10) {
      return [i, i + 3];
    }
  }
  return [-1, -1];
}

function contentLength(value: string | undefined): number {
  if (value === undefined) {
    return 0;
  }
  const length = Number(value);
  if (!Number.isInteger(length) || length < 0 || length > MAX_BODY_BYTES) {
    throw new EslFramingError(`Content-Length ${value.slice(0, 20)} is not possible`);
  }
  return length;
}
