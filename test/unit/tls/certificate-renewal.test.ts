import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nameReason, renewalMarginMs, timeReason } from '../../../src/tls/certificate-renewal.ts';

const notBeforeMs = Date.UTC(2026, 0, 1);
const notAfterMs = Date.UTC(2027, 0, 1);
const certificate = { notBeforeMs, notAfterMs, names: new Set(['desk', 'desk.local', '::1']) };

describe('timeReason', () => {
  it('renews from thirty days before the end', () => {
    const edge = notAfterMs - renewalMarginMs;
    assert.equal(timeReason(certificate, notBeforeMs), undefined);
    assert.equal(timeReason(certificate, edge - 1), undefined);
    assert.match(timeReason(certificate, edge) ?? '', /expires at 2027-01-01/);
  });

  it('tells expired and not yet valid apart', () => {
    assert.match(timeReason(certificate, notAfterMs) ?? '', /expired/);
    assert.match(timeReason(certificate, notBeforeMs - 1) ?? '', /not valid before/);
  });
});

describe('nameReason', () => {
  it('keeps a certificate that names more than it needs to', () => {
    assert.equal(nameReason(certificate, ['desk', '::1']), undefined);
    assert.equal(nameReason(certificate, []), undefined);
  });

  it('names what the certificate lacks', () => {
    assert.equal(nameReason(certificate, ['desk', '192.0.2.7']), 'it does not name 192.0.2.7');
  });
});
