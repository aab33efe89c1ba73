import type { Document } from './schema';
import { deadEnds } from './dead-ends';
import type { Finding } from './findings';
import { overflowLoops } from './overflow-loops';
import { checkReferences } from './references';

/** Everything about a document that its schema cannot see: first what is wrong, and only if nothing is, what is odd. */
export function checkDocument(document: Document): readonly Finding[] {
  const wrong = checkReferences(document);
  if (wrong.length > 0) {
    return wrong;
  }
  return [...overflowLoops(document), ...deadEnds(document)];
}
