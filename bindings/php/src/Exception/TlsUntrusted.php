<?php

declare(strict_types=1);

namespace Consolepass\Exception;

/** The certificate is not trusted: compare the fingerprint with the hypervisor's, and pin it. */
final class TlsUntrusted extends ConsolepassException
{
}
