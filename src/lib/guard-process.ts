/**
 * Keeps the process alive through errors that nothing provided for. A node holds the control of many calls: an exception that a
 * library throws out of a socket handler (the event socket's parser does on a stray percent sign, a lost dialog rejects
 * without anybody listening) must cost at most the call it is about. Each is reported; none is swallowed.
 * @returns a function that takes the guard away.
 */
export function guardProcess(onError: (kind: 'exception' | 'rejection', error: unknown) => void): () => void {
  const onException = (error: unknown): void => {
    onError('exception', error);
  };
  const onRejection = (error: unknown): void => {
    onError('rejection', error);
  };
  process.on('uncaughtException', onException);
  process.on('unhandledRejection', onRejection);
  return () => {
    process.off('uncaughtException', onException);
    process.off('unhandledRejection', onRejection);
  };
}
