import type { QueueStatus } from './types';

/**
 * How long a call is likely to wait from now on, milliseconds: (calls ahead − free agents + 1) × mean handling time ÷ agents who work;
 * 0 while more agents are free than calls are ahead. That is Whitt's queue-length predictor ("Predicting queueing delays", 1999): with s
 * agents busy all the time one becomes free every mean ÷ s. It falls as the call moves up and never grows with the call's own wait.
 *
 * @param ahead calls before it in the order of service
 * @returns undefined where the mean is not known or nobody works
 */
export function estimatedWaitMs(
  status: Pick<QueueStatus, 'meanHandlingMs' | 'working' | 'free'>,
  ahead: number,
): number | undefined {
  if (status.free > ahead) {
    return 0;
  }
  if (status.meanHandlingMs === undefined || status.working === 0) {
    return undefined;
  }
  return Math.round(((ahead - status.free + 1) * status.meanHandlingMs) / status.working);
}
