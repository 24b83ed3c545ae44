"""Which files of a corpus compile, by the language's own parser where this machine has one. Nothing is ever run.

Where it has none, what a project released counts as compiling: it was built before it was released.
"""

import json
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.corpora import File

TIMEOUT_S = 600

_NODE = """
const fs = require('fs'), vm = require('vm');
const compiles = (make) => { try { make(); return true; } catch { return false; } };
const names = JSON.parse(fs.readFileSync(0, 'utf8'));
console.log(JSON.stringify(names.map((name) => {
  const text = fs.readFileSync(name, 'utf8').replace(/^#!.*/, '');
  const script = `(function (exports, require, module, __filename, __dirname) {${text}\\n})`;
  return compiles(() => new vm.Script(script)) || compiles(() => new vm.SourceTextModule(text));
})));
"""

_JAVA = """
import com.sun.source.util.JavacTask;
import java.nio.file.*;
import java.util.*;
import javax.tools.*;

public class Parses {
    public static void main(String[] arguments) throws Exception {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        for (String name : Files.readAllLines(Path.of(arguments[0]))) {
            DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
            StandardJavaFileManager files = compiler.getStandardFileManager(found, null, null);
            Iterable<? extends JavaFileObject> units = files.getJavaFileObjects(name);
            ((JavacTask) compiler.getTask(null, files, found, List.of("-proc:none"), null, units)).parse();
            boolean wrong = found.getDiagnostics().stream().anyMatch(d -> d.getKind() == Diagnostic.Kind.ERROR);
            System.out.println(wrong ? "no" : "yes");
        }
    }
}
"""


def compilable(language: str, files: Sequence[File]) -> tuple[list[File], str]:
    """The files that compile, and how that was found out."""
    asked = _CHECKS.get(language)
    verdicts = asked(files) if asked is not None and files else None
    if verdicts is None:
        return list(files), "released by their projects"
    good = [file for file, good in zip(files, verdicts, strict=True) if good]
    return good, f"{_NAMES[language]}, which refuses {len(files) - len(good)} of {len(files)}"


def _python(files: Sequence[File]) -> list[bool]:
    return [_python_compiles(file) for file in files]


def _python_compiles(file: File) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(file.read(), file.path.name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _javascript(files: Sequence[File]) -> list[bool] | None:
    if shutil.which("node") is None:
        return None
    command = ["node", "--experimental-vm-modules", "--no-warnings", "-e", _NODE]
    body = json.dumps([str(file.path) for file in files])
    done = subprocess.run(command, input=body, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    return list(json.loads(done.stdout)) if done.returncode == 0 else None


def _java(files: Sequence[File]) -> list[bool] | None:
    if shutil.which("javac") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        program, names = Path(folder, "Parses.java"), Path(folder, "names.txt")
        program.write_text(_JAVA, "utf-8")
        names.write_text("".join(f"{file.path}\n" for file in files), "utf-8")
        command = ["java", str(program), str(names)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    said = done.stdout.split()
    return [word == "yes" for word in said] if done.returncode == 0 and len(said) == len(files) else None


_CHECKS: dict[str, Callable[[Sequence[File]], list[bool] | None]] = {
    "python": _python,
    "javascript": _javascript,
    "java": _java,
}
_NAMES = {"python": "CPython's `compile`", "javascript": "node's vm.Script", "java": "javac's parser"}
