import type { Rule } from '../rule';
import { AFTER_THE_CALL } from './after-the-call';
import { EXPLAINING } from './explaining';
import { LEAVING } from './leaving';
import { OFFERS } from './offers';
import { WHICH_AGENT } from './which-agent';
import { WHICH_CALL_FIRST } from './which-call-first';
import { WHO_MAY_GET_IT } from './who-may-get-it';

export const RULES: readonly Rule[] = [
  ...WHICH_CALL_FIRST,
  ...WHO_MAY_GET_IT,
  ...WHICH_AGENT,
  ...OFFERS,
  ...LEAVING,
  ...AFTER_THE_CALL,
  ...EXPLAINING,
];
