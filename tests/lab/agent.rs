//! A host's agent, which HAProxy asks for its state: `agent-check`.
use std::{
    io::Write,
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{Arc, Mutex, Weak},
    thread,
};

/// An agent that answers until it is dropped.
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

    /// Makes it answer this from now on, such as `down`, `50%` or `drain`.
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
        // One more connection wakes the thread, which then sees that the agent is gone.
        let _ = TcpStream::connect((self.address, Agent::PORT));
    }
}
