<?php

declare(strict_types=1);

namespace Consolepass;

/** A plain RFB server, such as one of QEMU or of a KVM switch. */
final class Vnc extends Backend
{
    /**
     * @param array{
     *     host: string|list<string>,
     *     password?: string,
     *     timeout?: int,
     * } $options
     * @throws Exception\ConsolepassException
     */
    public function __construct(#[\SensitiveParameter] array $options)
    {
        parent::__construct('vnc', $options);
    }
}
