/** Finds and runs api commands. */
import type { ApiServices } from './api-services';
import { CHANNEL_COMMANDS } from './channel-commands';
import { SERVER_COMMANDS } from './server-commands';

/** Runs a command; an unknown one answers as FreeSWITCH does. */
export function runApi(command: string, args: string, services: ApiServices): string | Promise<string> {
  const name = command.toLowerCase();
  if (Object.hasOwn(CHANNEL_COMMANDS, name)) {
    return CHANNEL_COMMANDS[name]?.(args, services) ?? '';
  }
  if (Object.hasOwn(SERVER_COMMANDS, name)) {
    return SERVER_COMMANDS[name]?.(args, services) ?? '';
  }
  return `-ERR ${command} Command not found!\n`;
}
