/** A world that knows how many requests it owes an answer: for tests whose client is a program of the real machine. */
import { Headless } from '../src/hosts/node.ts';
import type { TextRequest } from '../src/hosts/protocol.ts';
import type { ApiResponse } from '../src/kubernetes/api/request.ts';

export class Counting extends Headless {
  owed = 0;

  override request(request: TextRequest): Promise<ApiResponse> {
    return this.counted(super.request(request));
  }
  override upgrade(request: TextRequest) {
    const upgraded = super.upgrade(request);
    return { ...upgraded, response: this.counted(upgraded.response) };
  }
  private async counted(response: Promise<ApiResponse>): Promise<ApiResponse> {
    this.owed++;
    try {
      return await response;
    } finally {
      this.owed--;
    }
  }
}
