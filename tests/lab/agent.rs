//! The agent of a host that HAProxy asks how it is: `agent-check`.
use std::{
    io::Write,
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{Arc, Mutex, Weak},
    thread,
};

/// Answers until it is dropped.
pub struct Agent {
    says: Arc<Mutex<String>>,
    address: Ipv4Addr,
}

impl Agent {
    pub const PORT: u16 = 9191;

    pub fn start(address: Ipv4Addr) -> Agent {
        let listener = TcpListener::bind((address, Agent::PORT)).expect("the agent's port");
        let says = Arc::new(Mutex::new("up 100%".to_owned()));
        let told: Weak<Mutex<String>> = Arc::downgrade(&says);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(says) = told.upgrade() else { return };
                let text = says.lock().expect("what the agent says").clone();
                let _ = answer(stream, &text);
            }
        });
        Agent { says, address }
    }

    /// From now on it answers so, such as `down`, `50%`, `drain`.
    pub fn says(&self, text: &str) {
        *self.says.lock().expect("what the agent says") = text.to_owned();
    }
}

fn answer(mut stream: TcpStream, text: &str) -> std::io::Result<()> {
    stream.write_all(format!("{text}\n").as_bytes())
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.says = Arc::default();
        // The thread looks up once more, and finds that nobody tells it anything any longer.
        let _ = TcpStream::connect((self.address, Agent::PORT));
    }
}
