/** What a user of the API may do: each role may also do what those before it may. docs/security.md has the table for readers. */
export const ROLES = ['viewer', 'supervisor', 'ops', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export function isRole(text: string): text is Role {
  return ROLES.some((role) => role === text);
}

export function roleReaches(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
