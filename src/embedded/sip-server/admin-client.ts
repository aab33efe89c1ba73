/** One application that is connected to the admin port. */
import type { Socket } from 'node:net';
import { newId } from '../../lib/ids';
import type { SipMessage } from '../sip/message';
import { encodeFrame, FrameReader } from './admin-frame';
import { metaTokens, type MessageMeta } from './meta';

/** An application that does not read is cut off at this much unread data. */
const MAX_BACKLOG = 64 * 1024 * 1024;

export class AdminClient {
  authenticated = false;
  tags: readonly string[] = [];
  readonly routes = new Set<string>();
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  #closed = false;

  constructor(socket: Socket, onPayload: (client: AdminClient, payload: string) => void, onClose: () => void) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    socket.on('data', (chunk) => {
      const payloads = this.#reader.push(chunk);
      for (const payload of payloads ?? []) {
        if (!this.#closed) {
          onPayload(this, payload);
        }
      }
      if (payloads === undefined) {
        socket.destroy();
      }
    });
    // 'close' follows and does what is to be done.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#closed = true;
      onClose();
    });
  }

  get connected(): boolean {
    return !this.#closed && !this.#socket.destroyed && !this.#socket.writableEnded;
  }

  /** Answers a command. */
  reply(commandId: string, text: string): void {
    this.#write(`${newId()}|response|${commandId}|${text}`);
  }

  refuse(commandId: string, text: string): void {
    this.reply(commandId, `NOK|${text}`);
  }

  /** Answers a command that sent a message: `tail` is what stands between time and the message. */
  sent(commandId: string, meta: MessageMeta, tail: string, message: SipMessage): void {
    this.reply(commandId, `OK|${metaTokens(meta)}|${tail}\r\n${message.toString()}`);
  }

  /** Something came from the network, or the server itself did something (`unsolicited`). */
  sip(meta: MessageMeta, transactionId: string, dialogId: string, more: string, message: SipMessage): void {
    this.#write(`${newId()}|sip|${metaTokens(meta)}|${transactionId}|${dialogId}${more}\r\n${message.toString()}`);
  }

  /** After the last reply is out. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #write(payload: string): void {
    if (!this.connected) {
      return;
    }
    if (this.#socket.writableLength > MAX_BACKLOG) {
      this.#socket.destroy();
      return;
    }
    this.#socket.write(encodeFrame(payload));
  }
}
