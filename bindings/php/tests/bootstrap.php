<?php

declare(strict_types=1);

require __DIR__ . '/../autoload.php';

spl_autoload_register(static function (string $class): void {
    $prefix = 'Consolepass\\Tests\\';
    $file = __DIR__ . '/' . strtr(substr($class, strlen($prefix)), '\\', '/') . '.php';
    if (str_starts_with($class, $prefix) && is_file($file)) {
        require $file;
    }
});

// What was built, unless make says something else.
$built = dirname(__DIR__, 3) . '/target/debug';
foreach (['CONSOLEPASS_PROGRAM' => "$built/consolepass", 'CONSOLEPASS_LIBRARY' => "$built/libconsolepass_ffi.so"] as $name => $path) {
    if (getenv($name) === false) {
        putenv("$name=$path");
    }
    if (!is_file((string) getenv($name))) {
        exit("$name is " . getenv($name) . ", which is not there: make cli\n");
    }
}
