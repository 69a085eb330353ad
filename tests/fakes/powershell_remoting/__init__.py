"""Fake Windows remoting: WinRM over real HTTPS, with a scripted PowerShell.

A test provides a `ScriptedShell` (`script.py`) and connects to it with the real pypsrp client:

    class Host:
        def run(self, script, parameters, pipeline_input):
            if parameters["Name"] != "vm-1":
                return Reply(failure=ErrorRecord("no such machine", ErrorCategory.OBJECT_NOT_FOUND))
            return Reply(output=['{"State": "Running"}'])

    with serving(Host(), tmp_path) as server:
        connection = WSMan(
            server.host, port=server.port, auth="basic", username=USER, password=PASSWORD,
            cert_validation=str(server.certificate.path), no_proxy=True,
        )

The contract of the callback: `run` is called once for each pipeline, when its input has ended, on
one of the server's threads; two clients, or a pool of several runspaces, call it at the same time,
so it locks what it shares. `script` is the text of the one command, `parameters` its named
parameters as pypsrp reads them (a switch is None, a SecureString is text), `pipeline_input` what
was piped in. It returns a `Reply`, and it must return: closing the server waits for it. What it
raises is an error of the test, not of PowerShell: the client gets a fault, and closing raises it
again. Pipelines of several commands and positional parameters are not supported: the connection
ends, and closing raises the reason. Unsupported operations, such as disconnecting a shell, get a
fault.

`server.faults` injects faults (`faults.py`); `self_signed` creates bad certificates too
(`certificates.py`). `serving` leaves no thread behind.
"""
