import { createPrivateKey } from 'node:crypto';
import { makeTestAuthority } from '../../../src/embedded/tls/test-authority';
import type { IssuedIdentity, TestAuthority } from '../../../src/embedded/tls/test-authority';
import { checkCertificate, daysLeft, expiryAlarm, readCertificates } from '../../../src/lib/certificate-check';
import type { CertificateInput } from '../../../src/lib/certificate-check';
import { makeCertificate } from '../../support/certificates';

const DAY = 86_400_000;

describe('the check of a certificate', () => {
  let authority: TestAuthority;
  let good: IssuedIdentity;

  beforeAll(async () => {
    authority = await makeTestAuthority();
    good = await authority.issue(['sbc1.example.com', '*.customers.example.com']);
  });

  const check = (more: Partial<CertificateInput> = {}) =>
    checkCertificate({
      certificates: readCertificates(good.cert),
      roots: readCertificates(authority.ca),
      names: ['sbc1.example.com'],
      now: Date.now(),
      ...more,
    });
  const finding = (findings: ReturnType<typeof check>, name: string) => findings.find((f) => f.check === name);

  it('finds nothing wrong with a good one and says what it measured', () => {
    const found = check();
    expect(found.map((f) => [f.check, f.verdict])).toEqual([
      ['name', 'ok'],
      ['key', 'ok'],
      ['usage', 'ok'],
      ['chain', 'ok'],
      ['expiry', 'ok'],
    ]);
    expect(finding(found, 'expiry')?.found).toMatch(/^39\d days left, until \d{4}-\d\d-\d\d$/);
    expect(finding(found, 'key')?.found).toBe('RSA 2048');
    expect(finding(found, 'usage')?.found).toBe('serverAuth, clientAuth');
    expect(finding(found, 'chain')?.found).toBe(
      'leads to Sidekick test authority issuing ← Sidekick test authority root',
    );
  });

  it('a name that it does not hold fails, and the fix names it', () => {
    expect(check({ names: ['sbc2.example.com'] })[0]).toEqual({
      check: 'name',
      verdict: 'fail',
      found: 'sbc2.example.com is not covered by sbc1.example.com, *.customers.example.com',
      fix: 'get a certificate with sbc2.example.com as a subjectAltName of type DNS',
    });
  });

  it('a wildcard is good for several tenants, but for one label only', () => {
    const found = check({ names: ['a.customers.example.com', 'b.customers.example.com', 'a.b.customers.example.com'] });
    expect(found.slice(0, 3).map((f) => f.verdict)).toEqual(['ok', 'ok', 'fail']);
    expect(found[2]?.fix).toContain('covers one label only; add *.b.customers.example.com');
  });

  it('a chain without the intermediate fails, and with another root too', async () => {
    expect(finding(check({ certificates: readCertificates(good.leaf) }), 'chain')).toMatchObject({
      verdict: 'fail',
      found: 'the certificate of Sidekick test authority issuing is missing',
      fix: expect.stringContaining('chain.pem'),
    });
    const other = await makeTestAuthority({ organisation: 'Other' });
    expect(finding(check({ roots: readCertificates(other.ca) }), 'chain')?.verdict).toBe('fail');
    const all = readCertificates(good.cert + good.ca);
    expect(finding(check({ certificates: all, roots: [] }), 'chain')).toMatchObject({
      verdict: 'fail',
      found: 'ends at Sidekick test authority root, which is no public root',
    });
  });

  it('a private key of another certificate fails', async () => {
    const other = await authority.issue(['other.example.com']);
    expect(finding(check({ privateKey: createPrivateKey(good.key) }), 'key pair')?.verdict).toBe('ok');
    expect(finding(check({ privateKey: createPrivateKey(other.key) }), 'key pair')?.verdict).toBe('fail');
  });

  it('a key that is not RSA, or too short, fails', async () => {
    const ec = await makeCertificate({ names: ['sbc1.example.com'], key: 'ec' });
    const short = await makeCertificate({ names: ['sbc1.example.com'], key: 'rsa-1024' });
    expect(finding(check({ certificates: readCertificates(ec) }), 'key')).toMatchObject({
      verdict: 'fail',
      fix: expect.stringContaining('ECDHE-RSA'),
    });
    expect(finding(check({ certificates: readCertificates(short) }), 'key')).toMatchObject({
      verdict: 'fail',
      found: 'RSA 1024',
    });
  });

  it('a use without serverAuth fails, serverAuth alone is enough, and no use at all is said', async () => {
    const usage = async (uses: readonly string[] | undefined) => {
      const pem = await makeCertificate({ names: ['sbc1.example.com'], ...(uses ? { uses } : {}) });
      return finding(check({ certificates: readCertificates(pem) }), 'usage');
    };
    expect(await usage(['clientAuth'])).toMatchObject({ verdict: 'fail', found: 'clientAuth' });
    expect(await usage(['serverAuth'])).toMatchObject({ verdict: 'ok', found: 'serverAuth' });
    expect(await usage(undefined)).toMatchObject({ verdict: 'warn' });
  });

  it('a certificate that signs itself fails', async () => {
    const pem = await makeCertificate({ names: ['sbc1.example.com'] });
    expect(finding(check({ certificates: readCertificates(pem) }), 'chain')?.found).toBe('it is signed by itself');
  });

  it('warns 30 and 14 days before the end, fails at 3 days and after it', () => {
    const [leaf] = readCertificates(good.leaf);
    const end = Date.parse(leaf!.validTo);
    const at = (days: number) => [
      expiryAlarm(leaf!, end - days * DAY),
      finding(check({ now: end - days * DAY }), 'expiry')?.verdict,
    ];
    expect([31, 30, 15, 14, 4, 3, 1, 0, -5].map(at)).toEqual([
      [undefined, 'ok'],
      [30, 'warn'],
      [30, 'warn'],
      [14, 'warn'],
      [14, 'warn'],
      [3, 'fail'],
      [3, 'fail'],
      [0, 'fail'],
      [0, 'fail'],
    ]);
    expect(daysLeft(leaf!, end - 2.5 * DAY)).toBe(2);
  });

  it('one that is not valid yet fails', () => {
    const [leaf] = readCertificates(good.leaf);
    expect(finding(check({ now: Date.parse(leaf!.validFrom) - 1000 }), 'expiry')).toMatchObject({
      verdict: 'fail',
      found: expect.stringContaining('not valid before'),
    });
  });

  it('nothing at all fails', () => {
    expect(check({ certificates: [] })).toMatchObject([{ verdict: 'fail', found: 'there is no certificate' }]);
    expect(() => readCertificates('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----')).toThrow();
  });
});
