<?php

declare(strict_types=1);

namespace Consolepass\Tests;

use Consolepass\Event;
use Consolepass\Internal\Secret;
use Consolepass\Proxmox;
use Consolepass\Tests\Support\Process;
use Consolepass\Vnc;
use PHPUnit\Framework\TestCase;

/** PHP has ways to make an object without its constructor. None of them gives one of ours that looks whole and is not. */
final class HalfMadeTest extends TestCase
{
    /** @return array<string, array{class-string}> each class whose objects hold something */
    public function classes(): array
    {
        $classes = [];
        $source = dirname(__DIR__) . '/src/';
        foreach (new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator($source, \FilesystemIterator::SKIP_DOTS)) as $file) {
            $name = 'Consolepass\\' . strtr(substr((string) $file, strlen($source), -strlen('.php')), '/', '\\');
            $class = new \ReflectionClass($name);
            $fields = array_filter($class->getProperties(), static fn (\ReflectionProperty $field): bool => !$field->isStatic());
            // An error's class is PHP's own, and an event holds nothing but its public values: both may come out of a portal's queue.
            $isOfPortal = $class->isSubclassOf(\Throwable::class) || $name === Event::class;
            if (!$isOfPortal && !$class->isEnum() && !$class->isAbstract() && !$class->isTrait() && $fields !== []) {
                $classes[$name] = [$name];
            }
        }
        // The fields of the first two are their parent's, and the last one's text is in none.
        foreach ([Proxmox::class, Vnc::class, Secret::class] as $name) {
            $classes[$name] = [$name];
        }
        return $classes;
    }

    public function testTheClassesAreFound(): void
    {
        $this->assertGreaterThanOrEqual(12, count($this->classes()), implode(' ', array_keys($this->classes())));
    }

    /** @dataProvider classes */
    public function testNoneIsMadeByUnserialize(string $class): void
    {
        $length = strlen($class);
        $object = "O:$length:\"$class\":";
        foreach (["{$object}0:{}", "{$object}1:{s:4:\"type\";s:1:\"x\";}", "a:1:{i:0;{$object}0:{}}"] as $text) {
            try {
                unserialize($text);
                $this->fail("$text was taken");
            } catch (\LogicException $refused) {
                $this->assertStringContainsString("$class is not made by unserialize()", $refused->getMessage());
            }
        }
    }

    /** In a process of its own: what is tried here must not end it. */
    public function testOneWithoutItsConstructorIsAnErrorOfPhpAndNoCrash(): void
    {
        $autoload = dirname(__DIR__) . '/autoload.php';
        $classes = var_export(array_keys($this->classes()), true);
        $program = <<<PHP
            require '$autoload';
            \$tried = 0;
            \$try = static function (callable \$call) use (&\$tried): void {
                \$tried++;
                try {
                    \$call();
                } catch (Throwable) {
                }
            };
            ob_start();
            foreach ($classes as \$name) {
                \$class = new ReflectionClass(\$name);
                \$one = \$class->newInstanceWithoutConstructor();
                foreach (\$class->getMethods(ReflectionMethod::IS_PUBLIC) as \$method) {
                    if (!\$method->isStatic() && !\$method->isConstructor()) {
                        \$fitting = static fn (ReflectionParameter \$parameter): mixed => match ((string) \$parameter->getType()) {
                            'string', 'Consolepass\\Pass|string' => 'x', 'array' => [], 'float', '?float' => 0.0, default => null,
                        };
                        \$try(static fn () => \$method->invokeArgs(\$one, array_map(\$fitting, \$method->getParameters())));
                    }
                }
                foreach (['var_dump', 'print_r', 'var_export', 'json_encode', 'serialize', static fn (object \$one) => clone \$one] as \$way) {
                    \$try(static fn () => \$way(\$one));
                }
                unset(\$one);
                gc_collect_cycles();
            }
            ob_end_clean();
            echo \$tried > 100 ? 'all tried' : \$tried;
            PHP;

        [$status, $output] = Process::run([PHP_BINARY, '-d', 'display_errors=1', '-r', $program]);

        $this->assertSame([0, 'all tried'], [$status, $output]);
    }
}
