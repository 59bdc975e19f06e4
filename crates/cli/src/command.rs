//! The command line: what there is, and an example for each.

use clap::{Arg, ArgAction, Command, ValueHint};
use consolepass::doctor::Step;
use consolepass::options::Scope;

use crate::completion::SHELLS;
use crate::table::arguments;

pub(crate) fn command() -> Command {
    Command::new("consolepass")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Console tickets, links and a relay for virtual machines")
        .long_about(
            "Console tickets, links and a relay for virtual machines.\n\nA relay shows consoles to the customers of a portal, so that no \
             credential of the hypervisor reaches a browser. The other commands issue passes for it, open a console for an operator, find \
             out why there is none, and stand in for a hypervisor in tests.",
        )
        .subcommand_value_name("COMMAND")
        .after_help("Example:\n  consolepass demo\n\nSecrets come from files, the environment or standard input, never from arguments.")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(open())
        .subcommand(relay())
        .subcommand(pass())
        .subcommand(doctor())
        .subcommand(viewer())
        .subcommand(emulate())
        .subcommand(demo())
        .subcommand(completion())
        .subcommand(manual())
}

fn open() -> Command {
    Command::new("open")
        .about("Opens a console and prints where it is: for operators, it holds secrets")
        .after_help(
            "Example:\n  CONSOLEPASS_TOKEN_SECRET=… consolepass open qemu/101 --host pve.example.com \\\n    \
             --token-id 'portal@pve!console' --fingerprint AB:CD:…",
        )
        .args(machine_of_a_backend())
        .arg(novnc())
        .args(page_arguments())
        .arg(flag("show_secrets", "Prints ticket, headers and password"))
        .arg(json())
}

fn relay() -> Command {
    Command::new("relay")
        .about("Runs a relay until it is told to stop")
        .after_help(
            "Example:\n  consolepass relay --config consolepass.toml\n\nThe file:\n  \
             [relay]\n  listen = \"127.0.0.1:8700\"\n  public_url = \"https://portal.example.com/console\"\n  \
             pass_key_file = \"pass.jwk\"\n  marks_dir = \"/var/lib/consolepass\"  # several processes may take its passes\n\n  \
             [backend.dc1]\n  type = \"proxmox\"\n  host = \"pve.example.com\"\n  \
             token_id = \"portal@pve!console\"\n  token_secret_env = \"DC1_TOKEN_SECRET\"\n  fingerprint = \"AB:CD:…\"\n\n\
             Every option of the file stands in the manual page: consolepass man | man -l -",
        )
        .arg(text("config", "FILE", "The configuration file").required(true))
        .arg(json())
}

fn pass() -> Command {
    Command::new("pass")
        .about("Issues a signed pass and prints its links")
        .after_help(
            "A key is either shared by the portal and the relay (HS256), or one half of a pair (EdDSA): the portal signs with the \
             private half, and the relay checks with the public one, which can issue nothing. Either file is what pass_key_file \
             names.\n\n\
             Example:\n  consolepass pass --new-key pass.jwk\n  \
             consolepass pass --new-key pass.jwk --public-key pass.pub.jwk\n  \
             consolepass pass --config consolepass.toml --backend dc1 --machine qemu/101 --user 42",
        )
        .arg(
            text("new_key", "FILE", "Writes a new key, and does nothing else: a shared one, or with --public-key the portal's half of a pair")
                .conflicts_with_all(["config", "backend", "machine"]),
        )
        .arg(
            text("public_key", "FILE", "Makes the new key a pair, and writes the relay's half, the public one, to FILE")
                .requires("new_key"),
        )
        .arg(text("config", "FILE", "The relay's configuration file, in place of --public-url and --pass-key-file"))
        .args(arguments(Scope::Issuer).into_iter().map(not_beside_a_file))
        .arg(text("backend", "NAME", "The backend's name in the relay's file").required_unless_present("new_key"))
        .arg(text("machine", "MACHINE", "The machine").required_unless_present("new_key"))
        .args(arguments(Scope::Pass))
        .arg(novnc())
        .args(page_arguments())
        .arg(json())
}

fn doctor() -> Command {
    let steps: Vec<String> =
        Step::ALL.iter().map(|step| format!("  {:<12}{}", step.as_str(), step.meaning())).collect();
    Command::new("doctor")
        .about("Takes every step to a console, says which one fails, and how to mend it")
        .after_help(format!(
            "The steps:\n{}\n\nExample:\n  CONSOLEPASS_TOKEN_SECRET=… consolepass doctor qemu/101 --host pve.example.com \\\n    \
             --token-id 'portal@pve!console'\n  consolepass doctor qemu/101 --config consolepass.toml --backend dc1\n\n\
             The exit status is 0 if there is a console, and 1 if not. No secret is printed.",
            steps.join("\n")
        ))
        .args(machine_of_a_backend())
        .arg(json())
}

fn viewer() -> Command {
    Command::new("viewer")
        .about("The page that shows a console, for portals that serve it by themselves")
        .after_help("Example:\n  consolepass viewer export /var/www/portal/console")
        .subcommand_required(true)
        .subcommand(
            Command::new("export")
                .about("Writes the page's files, index.html, viewer.js and viewer.css, into a folder")
                .after_help(
                    "The relay serves the page by itself, at its public_url; this is for portals that want it elsewhere. A link to it \
                     is the page's address, and behind it the fragment of a pass's viewer_url: #pass=…\n\n\
                     The page opens the websocket \"ws\" beside itself: served as https://portal.example.com/console/, it needs \
                     https://portal.example.com/console/ws to lead to the relay. With --relay it opens the one of that relay, \
                     wherever it is served; if that is another origin, name it in the relay's allowed_origins.\n\n\
                     Example:\n  consolepass viewer export /var/www/portal/console\n  \
                     consolepass viewer export /var/www/portal/viewer --relay https://console.example.com",
                )
                .arg(Arg::new("dir").value_name("DIR").value_hint(hint("DIR")).required(true).help("The folder; it is made if it is not there"))
                .arg(text("relay", "URL", "The relay's public_url, if its websocket is not beside the page"))
                .arg(flag("force", "Replaces files that are there with another content"))
                .arg(json()),
        )
}

fn emulate() -> Command {
    Command::new("emulate")
        .about("Runs a strict double of a hypervisor, to test a portal with")
        .after_help("Example:\n  consolepass emulate proxmox --guest qemu/101=screen --guest qemu/102=unix:/run/vm.sock")
        .subcommand_required(true)
        .subcommand(
            Command::new("proxmox")
                .about("Proxmox VE: log-in, tokens, consoles of QEMU and LXC guests")
                .after_help(
                    "Example:\n  CONSOLEPASS_EMULATE_PASSWORD=secret consolepass emulate proxmox --user root@pam \\\n    \
                     --guest qemu/101=screen",
                )
                .arg(text("listen", "ADDRESS", "The address and port; port 0 takes a free one [default: 127.0.0.1:0]"))
                .arg(text("node", "NAME", "The node's name [default: pve1]"))
                .arg(
                    many("guest", "GUEST=SCREEN", "qemu/101=screen (built in), lxc/200=127.0.0.1:5901, qemu/102=unix:/run/vm.sock, qemu/103=stopped")
                        .required(true),
                )
                .arg(text("user", "USER@REALM", "A user; the password is read from $CONSOLEPASS_EMULATE_PASSWORD"))
                .arg(text("token", "USER@REALM!TOKENID", "A token; the secret is read from $CONSOLEPASS_EMULATE_TOKEN_SECRET"))
                .arg(text("generation", "WHICH", "2026 (since April 2026) or classic (before) [default: 2026]"))
                .arg(text("unauthorized_delay", "SECONDS", "How long a 401 takes, as a decimal number [default: 3]"))
                .arg(text("banner_delay", "SECONDS", "From the 101 to the first byte of the screen, as a decimal number [default: 1]"))
                .arg(ca_file())
                .arg(json()),
        )
        .subcommand(
            Command::new("script")
                .about("Plays the exchanges of a vector, in order, and fails on any other request")
                .after_help("Example:\n  consolepass emulate script tests/vectors/proxmox-open.json --name 'a token opens a console'")
                .arg(Arg::new("file").value_name("FILE").value_hint(hint("FILE")).required(true).help("A vector, or a list of vectors"))
                .arg(text("name", "NAME", "Which vector of a list"))
                .arg(flag("stay", "Stays after the last exchange, until it is told to end: for a vector whose server is silent"))
                .arg(ca_file())
                .arg(json()),
        )
}

fn demo() -> Command {
    Command::new("demo")
        .about("Shows a whole console: an emulated hypervisor, a relay, and a link to open")
        .after_help("Example:\n  consolepass demo\n  consolepass demo --guest unix:/run/vm.sock")
        .arg(text(
            "guest",
            "SCREEN",
            "The guest's RFB server, unix:PATH or HOST:PORT [default: a small built-in screen]",
        ))
        .arg(text("listen", "ADDRESS", "Where the relay listens [default: 127.0.0.1:0]"))
        .arg(text(
            "secrets_file",
            "FILE",
            "Writes every secret of this demo to FILE at its end, one a line, to search for",
        ))
        .arg(json())
}

fn manual() -> Command {
    Command::new("man").about("Prints the manual page, with every command, option and error code").after_help(
        "Example:\n  consolepass man | man -l -\n  consolepass man > /usr/local/share/man/man1/consolepass.1",
    )
}

/// A machine, and the backend that it is on.
fn machine_of_a_backend() -> Vec<Arg> {
    let mut list = vec![
        Arg::new("machine").value_name("MACHINE").required(true).help("qemu/101, lxc/200, pve2/qemu/101, 101"),
        text("kind", "KIND", "The kind of console: vnc [default: vnc]"),
        text("config", "FILE", "Takes the backend from a configuration file"),
        text("backend", "NAME", "The backend in the file, if it has several").requires("config"),
    ];
    list.extend(arguments(Scope::Proxmox).into_iter().map(not_beside_a_file));
    list
}

fn completion() -> Command {
    Command::new("completion")
        .about("Prints what makes a shell complete this command")
        .after_help(
            "Example:\n  consolepass completion bash > ~/.local/share/bash-completion/completions/consolepass\n  \
             consolepass completion zsh > /usr/local/share/zsh/site-functions/_consolepass\n  \
             consolepass completion fish > ~/.config/fish/completions/consolepass.fish",
        )
        .arg(Arg::new("shell").value_name("SHELL").required(true).value_parser(SHELLS).help("The shell"))
}

/// A file says all of it: an argument beside it would be silently without effect.
fn not_beside_a_file(argument: Arg) -> Arg {
    argument.conflicts_with("config")
}

/// The options of a page are said to be the page's.
fn page_arguments() -> Vec<Arg> {
    arguments(Scope::Page)
        .into_iter()
        .map(|argument| argument.requires("novnc").help_heading("The noVNC page"))
        .collect()
}

fn novnc() -> Arg {
    text("novnc", "PAGE", "Prints a link to the noVNC page at this URL").help_heading("The noVNC page")
}

fn ca_file() -> Arg {
    text("ca_file", "FILE", "Writes the double's certificate authority to FILE")
}

fn json() -> Arg {
    flag("json", "Prints one JSON object a line")
}

fn flag(id: &'static str, help: &'static str) -> Arg {
    Arg::new(id).long(id.replace('_', "-")).help(help).action(ArgAction::SetTrue)
}

fn text(id: &'static str, value_name: &'static str, help: &'static str) -> Arg {
    Arg::new(id).long(id.replace('_', "-")).value_name(value_name).value_hint(hint(value_name)).help(help)
}

/// What shells complete. For anything but a file they would offer what happens to lie in the folder. (Not for positional
/// arguments: zsh completes no option while one without a completion is open.)
fn hint(value_name: &str) -> ValueHint {
    match value_name {
        "FILE" => ValueHint::FilePath,
        "DIR" => ValueHint::DirPath,
        "PAGE" | "URL" => ValueHint::Url,
        _ => ValueHint::Other,
    }
}

fn many(id: &'static str, value_name: &'static str, help: &'static str) -> Arg {
    text(id, value_name, help).action(ArgAction::Append)
}

#[cfg(test)]
mod tests {
    use consolepass::{PassKey, Relay};

    use super::*;
    use crate::config::Config;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn no_secret_can_be_given_as_an_argument() {
        let accepted = [
            ("open", vec!["qemu/101"]),
            ("doctor", vec!["qemu/101"]),
            ("pass", vec!["--backend", "dc1", "--machine", "qemu/101"]),
        ];
        for secret in ["--token-secret", "--password", "--login-ticket", "--csrf-token", "--proxy"] {
            for (command, arguments) in &accepted {
                let good: Vec<&str> = ["consolepass", command].into_iter().chain(arguments.iter().copied()).collect();
                let with_secret = good.iter().copied().chain([secret, "hunter2"]);

                assert!(self::command().try_get_matches_from(&good).is_ok(), "{good:?}");
                let refused = self::command().try_get_matches_from(with_secret).unwrap_err();
                assert_eq!(refused.kind(), clap::error::ErrorKind::UnknownArgument, "{command} {secret}");
            }
        }
    }

    #[test]
    fn no_option_of_a_backend_or_an_issuer_can_be_given_beside_a_file() {
        let beside = [
            ("open", Scope::Proxmox, vec!["qemu/101"]),
            ("pass", Scope::Issuer, vec!["--backend", "dc1", "--machine", "qemu/101"]),
        ];
        for (command, scope, needed) in beside {
            for argument in arguments(scope) {
                let flag = format!("--{}", argument.get_long().unwrap());
                let mut line = vec!["consolepass", command, "--config", "consolepass.toml", &flag];
                line.extend(argument.get_action().takes_values().then_some("x"));
                line.extend(&needed);

                let refused = self::command().try_get_matches_from(line).unwrap_err();

                assert_eq!(refused.kind(), clap::error::ErrorKind::ArgumentConflict, "{command} {flag}");
                assert!(refused.to_string().contains("--config"), "{command} {flag}: {refused}");
            }
        }
    }

    #[test]
    fn the_file_in_the_relays_help_is_one() {
        let help = relay().get_after_help().unwrap().to_string();
        let (_, file) = help.split_once("The file:\n").unwrap();
        let file: Vec<&str> = file.lines().take_while(|line| line.is_empty() || line.starts_with("  ")).collect();
        let folder = std::env::temp_dir().join(format!("consolepass-help-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = |name: &str| folder.join(name).display().to_string();
        std::fs::write(path("pass.jwk"), PassKey::generate().unwrap().expose()).unwrap();
        let text = file.join("\n").replace("\"pass.jwk\"", &format!("{:?}", path("pass.jwk")));
        let text = text.replace("/var/lib/consolepass", &path("")).replace("AB:CD:…", &"AB".repeat(32));
        std::fs::write(path("consolepass.toml"), text.replace("_env = \"DC1_TOKEN_SECRET\"", " = \"secret\"")).unwrap();

        let config = Config::read(&path("consolepass.toml")).unwrap();
        let relay = Relay::new(config.backends().unwrap(), &config.relay);

        let _ = std::fs::remove_dir_all(&folder);
        assert!(relay.is_ok(), "{relay:?}");
    }

    #[test]
    fn every_command_has_an_example() {
        fn check(command: &Command) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example:"), "{}", command.get_name());
            command.get_subcommands().for_each(check);
        }
        check(&command());
    }
}
