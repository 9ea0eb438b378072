import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

/** A network cable with scissors: what goes to a server passes through it. */
export class Cable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  #isMute = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async lay(targetPort: number): Promise<Cable> {
    const server = createServer((inner) => {
      if (cable.#isCut) return void inner.destroy();
      const outer = connect(targetPort, '127.0.0.1');
      for (const [one, other] of [
        [inner, outer],
        [outer, inner],
      ] as const) {
        cable.#sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          cable.#sockets.delete(one);
          other.destroy();
        });
      }
      inner.pipe(outer);
      outer.on('data', (bytes: Buffer) => {
        if (!cable.#isMute) inner.write(bytes);
      });
      return undefined;
    });
    const cable = new Cable(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return cable;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** What the server says from now on is lost; what is said to it arrives. */
  mute(): void {
    this.#isMute = true;
  }

  mend(): void {
    this.#isCut = false;
    this.#isMute = false;
  }

  async remove(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
