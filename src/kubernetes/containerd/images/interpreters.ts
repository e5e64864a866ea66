/** Images that are a language's interpreter: bash and python, as the documentation's Jobs use them. */
import { defineImage, type Image } from '../image.ts';
import { basePrograms, debianFiles, passwd } from './base.ts';
import { bring } from './bring.ts';

const python = bring((all) => all.python);
const pythonPrograms = { ...basePrograms, '/usr/local/bin/python3': python, '/usr/local/bin/python': python };
const alpineFiles = { '/etc/alpine-release': '3.22.0\n', '/etc/os-release': 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.22.0\n', '/etc/passwd': passwd() };

export const interpreterImages: readonly Image[] = [
  defineImage({
    names: ['bash:latest', 'bash:5', 'bash:5.2', 'bash:5.1', 'bash:4'],
    sizeBytes: 6_900_000,
    programs: { ...basePrograms, '/usr/local/bin/bash': basePrograms['/bin/bash']! },
    cmd: ['bash'],
    files: alpineFiles,
    idle: { memoryBytes: 1024 * 1024, cpuMilli: 0 },
  }),
  defineImage({
    names: ['python:latest', 'python:3', 'python:3.13', 'python:3.12', 'python:3.11', 'python:3.10', 'python:3.9', 'python:3.8', 'python:3.7', 'python:3.6'],
    sizeBytes: 386_000_000,
    programs: pythonPrograms,
    cmd: ['python3'],
    files: debianFiles,
    idle: { memoryBytes: 9 * 1024 * 1024, cpuMilli: 0 },
  }),
  defineImage({
    names: ['python:slim', 'python:3-slim', 'python:alpine', 'python:3-alpine', 'python:3.13-slim', 'python:3.13-alpine'],
    sizeBytes: 44_000_000,
    programs: pythonPrograms,
    cmd: ['python3'],
    files: debianFiles,
    idle: { memoryBytes: 9 * 1024 * 1024, cpuMilli: 0 },
  }),
];
