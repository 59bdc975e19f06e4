<?php

declare(strict_types=1);

/*
 * A customer portal with a console button, in plain PHP: it signs passes, and `consolepass relay` beside it takes them.
 */

// In your portal the first one alone; the other is for this repository, where Composer has installed nothing.
$installed = __DIR__ . '/vendor/autoload.php';
require is_file($installed) ? $installed : __DIR__ . '/../../bindings/php/autoload.php';

use Consolepass\Exception\ConsolepassException;
use Consolepass\Issuer;

/** Who owns which machine. A real portal asks its database, and knows the customer by the session. */
const CUSTOMER = 'customer-42';
const MACHINES = ['web server' => 'qemu/101', 'database' => 'lxc/200'];

$path = (string) parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
match (true) {
    $_SERVER['REQUEST_METHOD'] === 'GET' && $path === '/' => page(200, machines()),
    // A POST, so that no prefetch and no link of somebody else's issues a pass.
    $_SERVER['REQUEST_METHOD'] === 'POST' && str_starts_with($path, '/console/') => open(substr($path, strlen('/console/'))),
    default => page(404, 'There is nothing here.'),
};

/** The click: is the machine the customer's, then a pass, then the viewer. */
function open(string $machine): void
{
    if (!in_array($machine, MACHINES, true)) {
        page(403, 'This machine is not yours.');
        return;
    }
    try {
        $issuer = new Issuer([
            'publicUrl' => getenv('RELAY_PUBLIC_URL') ?: 'http://127.0.0.1:8700',
            'passKeyFile' => getenv('PASS_KEY_FILE') ?: __DIR__ . '/pass.jwk',
        ]);
        header('Location: ' . $issuer->issue('dc1', $machine, ['user' => CUSTOMER])->viewerUrl());
        page(303, 'Your console is being opened.');
    } catch (ConsolepassException $error) {
        // The error's own words are for the log; the customer gets its sentence.
        error_log("{$error->errorCode->value}: {$error->getMessage()}; {$error->hint}");
        page(502, $error->sentence());
    }
}

function machines(): string
{
    $rows = '';
    foreach (MACHINES as $name => $machine) {
        $rows .= "<li>$name <form method=post action=\"/console/$machine\"><button>Console</button></form></li>";
    }
    return "<h1>Your machines</h1><ul>$rows</ul>";
}

function page(int $status, string $body): void
{
    http_response_code($status);
    header('Content-Type: text/html; charset=utf-8');
    echo "<!doctype html><html lang=en><title>Portal</title>$body</html>";
}
