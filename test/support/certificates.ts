import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const openssl = (command: string, ...files: readonly string[]) =>
  promisify(execFile)('openssl', [...command.split(' '), ...files]);

const newKey = 'req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes';

export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A certificate authority of its own in `folder`, made by openssl. */
export class Authority {
  readonly #folder: string;
  readonly #own: Certificate;

  private constructor(folder: string, own: Certificate) {
    this.#folder = folder;
    this.#own = own;
  }

  static async create(folder: string, name = 'ca'): Promise<Authority> {
    const [certFile, keyFile] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
    await openssl(`${newKey} -x509 -days 2 -subj /CN=${name} -out`, certFile, '-keyout', keyFile);
    return new Authority(folder, { certFile, keyFile });
  }

  get certFile(): string {
    return this.#own.certFile;
  }

  /** Issues a certificate; `subject` is its alternative name, such as `DNS:localhost` or `IP:127.0.0.1`. */
  async issue(name: string, subject: string): Promise<Certificate> {
    const file = (ending: string): string => join(this.#folder, `${name}.${ending}`);
    await writeFile(file('ext'), `subjectAltName=${subject}\n`);
    const [ca, caKey] = [this.#own.certFile, this.#own.keyFile];
    await openssl(`${newKey} -subj /CN=${name} -out`, file('csr'), '-keyout', file('key'));
    const signed = ['-in', file('csr'), '-out', file('pem'), '-extfile', file('ext')];
    await openssl('x509 -req -days 2 -CAcreateserial -CA', ca, '-CAkey', caKey, ...signed);
    return { certFile: file('pem'), keyFile: file('key') };
  }
}
