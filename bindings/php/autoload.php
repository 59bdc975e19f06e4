<?php

declare(strict_types=1);

// For portals without Composer: require this file, and the classes are there.
spl_autoload_register(static function (string $class): void {
    if (!str_starts_with($class, 'Consolepass\\')) {
        return;
    }
    $file = __DIR__ . '/src/' . strtr(substr($class, strlen('Consolepass\\')), '\\', '/') . '.php';
    if (is_file($file)) {
        require $file;
    }
});
