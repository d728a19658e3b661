import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renewalMarginMs, renewalReason } from '../../../src/tls/certificate-renewal.ts';

const notBeforeMs = Date.UTC(2026, 0, 1);
const notAfterMs = Date.UTC(2027, 0, 1);
const certificate = { notBeforeMs, notAfterMs, names: new Set(['desk', 'desk.local', '::1']) };

describe('renewalReason', () => {
  it('keeps a certificate that serves, whatever the case of the name', () => {
    assert.equal(renewalReason(certificate, ['Desk', '::1'], notBeforeMs), undefined);
  });

  it('renews from thirty days before the end', () => {
    const edge = notAfterMs - renewalMarginMs;
    assert.equal(renewalReason(certificate, [], edge - 1), undefined);
    assert.match(renewalReason(certificate, [], edge) ?? '', /expires at 2027-01-01/);
  });

  it('tells expired and not yet valid apart', () => {
    assert.match(renewalReason(certificate, [], notAfterMs) ?? '', /expired/);
    assert.match(renewalReason(certificate, [], notBeforeMs - 1) ?? '', /not valid before/);
  });

  it('names what the certificate lacks', () => {
    const reason = renewalReason(certificate, ['desk', '192.0.2.7'], notBeforeMs);
    assert.equal(reason, 'it does not name 192.0.2.7');
  });
});
